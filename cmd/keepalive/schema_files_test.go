package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What check says about files is as the schema describes it, for every example.
func TestFileSchema(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("internal/conffile/testdata/*/*")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	args := []string{"check", "--json"}
	for _, f := range files {
		args = append(args, "--file", f)
	}
	for _, path := range [][]string{nil, {"--path", "aws-nlb-tcp"}, {"--path", "aws-alb"}} {
		_, out, errs := command(append(args, path...)...)
		assert.Len(t, valid(t, "check", out), len(files)+1, errs)
	}
}
