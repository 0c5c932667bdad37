package main

import (
	"os/exec"
	"regexp"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBasicPrintsTheSettingsOfBothEnds(t *testing.T) {
	out, err := exec.Command("go", "run", ".").Output()
	require.NoError(t, err)
	assert.Regexp(t, regexp.MustCompile(`(?m)^dialed   on `), string(out))
	assert.Regexp(t, regexp.MustCompile(`(?m)^accepted on `), string(out))
	if runtime.GOOS == "linux" {
		assert.Equal(t, "dialed   on idle=30s interval=10s count=3 user-timeout=60s\n"+
			"accepted on idle=30s interval=10s count=3 user-timeout=60s\n", string(out))
	}
}
