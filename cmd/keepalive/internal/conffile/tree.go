package conffile

import (
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A node is a value of YAML or JSON, and the line on which it stands.
type node struct {
	line   int
	keys   []string // of a mapping, in the order of the file
	fields map[string]*node
	items  []*node // of a sequence
	text   string  // of a scalar
	isText bool    // the scalar is a string, not a number
	scalar bool
}

// get returns the value of the first of these keys that a mapping has, nil if it has
// none, or if n is no mapping.
func (n *node) get(keys ...string) *node {
	if n == nil {
		return nil
	}
	for _, k := range keys {
		if v := n.fields[k]; v != nil {
			return v
		}
	}
	return nil
}

// str returns the text of a scalar below a mapping.
func (n *node) str(keys ...string) string {
	if v := n.get(keys...); v != nil && v.scalar {
		return v.text
	}
	return ""
}

// children returns what is directly below.
func (n *node) children() []*node {
	list := n.items
	for _, k := range n.keys {
		list = append(list, n.fields[k])
	}
	return list
}

// maxNodes limits what aliases may expand to.
const maxNodes = 1 << 20

// maxDepth limits how deep values are nested.
const maxDepth = 200

// A builder makes nodes.
type builder struct {
	source *source
	count  int
}

func (b *builder) next(line, depth int) error {
	if b.count++; b.count > maxNodes {
		return wrong(b.source.at(line), "at most %d values, aliases included", maxNodes)
	}
	if depth > maxDepth {
		return wrong(b.source.at(line), "values nested at most %d deep", maxDepth)
	}
	return nil
}

// trees reads all documents of a YAML or JSON file.
func (s *source) trees() ([]*node, error) {
	if strings.HasPrefix(strings.TrimSpace(s.Text), "{") || strings.HasPrefix(strings.TrimSpace(s.Text), "[") {
		if list, err := s.json(); err == nil || json.Valid([]byte(s.Text)) {
			return list, err
		}
		if strings.HasPrefix(strings.TrimSpace(s.Text), "{\n") || strings.HasPrefix(strings.TrimSpace(s.Text), `{"`) {
			return s.json() // whose error is about JSON
		}
	}
	return s.yaml()
}

// yamlLine finds the line in an error of the YAML package, which has it in its text only.
var yamlLine = pattern(`line (\d+): `)

func (s *source) yaml() (list []*node, err error) {
	d := yaml.NewDecoder(strings.NewReader(s.Text))
	b := &builder{source: s}
	for {
		var y yaml.Node
		switch err := d.Decode(&y); {
		case errors.Is(err, io.EOF):
			return list, nil
		case err != nil:
			line, why := 1, strings.TrimPrefix(err.Error(), "yaml: ")
			if m := yamlLine().FindStringSubmatchIndex(why); m != nil {
				line, _ = strconv.Atoi(why[m[2]:m[3]])
				why = why[m[1]:]
			}
			return nil, wrong(s.at(line), "YAML (%s)", why)
		}
		if y.Kind == 0 || len(y.Content) == 0 { // an empty document
			continue
		}
		n, err := b.yaml(y.Content[0], 0)
		if err != nil {
			return nil, err
		}
		list = append(list, n)
	}
}

func (b *builder) yaml(y *yaml.Node, depth int) (*node, error) {
	if err := b.next(y.Line, depth); err != nil {
		return nil, err
	}
	n := &node{line: y.Line}
	switch y.Kind {
	case yaml.AliasNode:
		return b.yaml(y.Alias, depth+1)
	case yaml.ScalarNode:
		n.scalar, n.text, n.isText = y.Tag != "!!null", y.Value, y.Tag == "!!str"
	case yaml.SequenceNode:
		for _, c := range y.Content {
			item, err := b.yaml(c, depth+1)
			if err != nil {
				return nil, err
			}
			n.items = append(n.items, item)
		}
	case yaml.MappingNode:
		n.fields = map[string]*node{}
		for i := 0; i+1 < len(y.Content); i += 2 {
			value, err := b.yaml(y.Content[i+1], depth+1)
			if err != nil {
				return nil, err
			}
			if y.Content[i].Tag == "!!merge" {
				n.merge(value)
				continue
			}
			n.set(y.Content[i].Value, value)
		}
	}
	return n, nil
}

func (n *node) set(key string, value *node) {
	if n.fields[key] == nil {
		n.keys = append(n.keys, key)
	}
	n.fields[key] = value
}

// merge adds the fields of << that the mapping itself does not have: those before it are
// kept, those after it replace.
func (n *node) merge(from *node) {
	for _, item := range from.items {
		n.merge(item)
	}
	for _, k := range from.keys {
		if n.fields[k] == nil {
			n.set(k, from.fields[k])
		}
	}
}

// treeFormat recognises a YAML or JSON file by its keys, "" if it is none of the formats
// that are written in these.
func treeFormat(f File) string {
	trees, err := (&source{File: f}).trees()
	if err != nil {
		return ""
	}
	for _, n := range trees {
		switch {
		case n.get("apiVersion") != nil && n.get("kind") != nil, n.podSysctls():
			return "kubernetes"
		case n.get("services") != nil && n.get("services").fields != nil:
			return "compose"
		case n.get("static_resources", "staticResources", "dynamic_resources", "dynamicResources") != nil || has(n, envoyKeys...):
			return "envoy"
		}
	}
	return ""
}

// podSysctls reports whether a mapping is a part of a pod, or of what makes pods, that has
// sysctls: plan --as kubernetes prints one.
func (n *node) podSysctls() bool {
	return n.get("securityContext").get("sysctls") != nil ||
		n.get("spec") != nil && n.get("spec").podSysctls() || n.get("template") != nil && n.get("template").podSysctls()
}

// has reports whether one of these keys is anywhere below.
func has(n *node, keys ...string) bool {
	if n.get(keys...) != nil {
		return true
	}
	for _, c := range n.children() {
		if has(c, keys...) {
			return true
		}
	}
	return false
}
