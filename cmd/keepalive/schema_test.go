package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/paths"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/record"
)

// schemas are the files in docs, which describe what programs read.
var schemas = filepath.Join("..", "..", "docs")

// schemaOf compiles the schema of a command. Unlike the file it refuses properties that
// it does not name, so that nothing is added without a description.
func schemaOf(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	path := filepath.Join(schemas, name+".schema.json")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	refuseMore(doc)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	require.NoError(t, c.AddResource(name, doc))
	s, err := c.Compile(name)
	require.NoError(t, err)
	return s
}

// refuseMore closes all objects of a schema.
func refuseMore(node any) {
	switch node := node.(type) {
	case map[string]any:
		if _, ok := node["properties"]; ok {
			node["additionalProperties"] = false
		}
		for _, n := range node {
			refuseMore(n)
		}
	case []any:
		for _, n := range node {
			refuseMore(n)
		}
	}
}

// valid checks each JSON value of an output, and returns them.
func valid(t *testing.T, name, out string) []map[string]any {
	t.Helper()
	s := schemaOf(t, name)
	var values []map[string]any
	d := json.NewDecoder(strings.NewReader(out))
	for {
		var v map[string]any
		err := d.Decode(&v)
		if err == io.EOF {
			return values
		}
		require.NoError(t, err, out)
		values = append(values, v)
		text, err := json.Marshal(v)
		require.NoError(t, err)
		instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		require.NoError(t, err)
		assert.NoError(t, s.Validate(instance), "%s", text)
		assert.Equal(t, float64(record.Version), v["schema"], "each object says its version")
	}
}

// The schemas themselves are right, and name in the help of their command whatever they
// describe at the top.
func TestSchemas(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(schemas, "*.schema.json"))
	require.NoError(t, err)
	require.Len(t, files, 5)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".schema.json")
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		c := jsonschema.NewCompiler()
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		require.NoError(t, err)
		require.NoError(t, c.AddResource("file", doc))
		_, err = c.Compile("file")
		require.NoError(t, err, name)
		root := doc.(map[string]any)
		assert.Equal(t, "https://json-schema.org/draft/2020-12/schema", root["$schema"])
		assert.Equal(t, "https://github.com/tcpkeepalive/keepalive/docs/"+name+".schema.json", root["$id"])
		assert.Equal(t, "keepalive "+name+" --json", root["title"])
		documented, err := os.ReadFile(filepath.Join(schemas, "commands.md"))
		require.NoError(t, err)
		assert.Contains(t, string(documented), "("+name+".schema.json)")
		if name == "plan" { // whose help has no list of them
			continue
		}
		_, help, _ := command(name, "--json", "--help")
		assert.Contains(t, help, "docs/"+name+".schema.json")
		described := root["properties"]
		if described == nil {
			for _, def := range root["$defs"].(map[string]any) {
				for property := range def.(map[string]any)["properties"].(map[string]any) {
					assert.Contains(t, help, property, name)
				}
			}
			continue
		}
		for property := range described.(map[string]any) {
			assert.Contains(t, help, property, name)
		}
	}
}

// Whatever plan says, its JSON is as the schema describes it, for every profile.
func TestPlanSchema(t *testing.T) {
	t.Parallel()
	lines := []string{
		"--path aws-nlb-tcp,aws-nat-gateway", "--path aws-nlb-tcp --detect 60s", "--path aws-nlb-tcp --no-user-timeout",
		"--path aws-alb,nodejs=5s", "--path aws-alb,nodejs=5s --server", "--path box:15m,proxy:60s", "--path box:15m --assume-refresh", "--detect 60s",
		"--path aws-nlb-tcp --lost-probes 0", "--path server:8h",
	}
	for _, id := range paths.IDs() {
		lines = append(lines, "--path "+id)
	}
	s := map[string]bool{}
	n := 0
	for _, line := range lines {
		_, out, _ := command(append([]string{"plan", "--json"}, strings.Fields(line)...)...)
		for _, v := range valid(t, "plan", out) {
			n++
			s[v["verdict"].(string)] = true
			for _, field := range []string{"heartbeat", "http", "margin_seconds"} {
				if v[field] != nil {
					s[field] = true
				}
			}
		}
	}
	assert.Greater(t, n, 50)
	for _, seen := range []string{"survives", "survives if", "needs a heartbeat", "unknown", "heartbeat", "http", "margin_seconds"} {
		assert.True(t, s[seen], seen)
	}
}
