package main

import (
	"bytes"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, run(&out, 100, 3))
	t.Log("\n" + out.String())
	failed := map[string]int{}
	for _, match := range regexp.MustCompile(`(?m)^(.*?) +(\d+) of 300 failed`).FindAllStringSubmatch(out.String(), -1) {
		n, err := strconv.Atoi(match[2])
		require.NoError(t, err)
		failed[match[1]] = n
	}
	assert.Len(t, failed, 3)
	// How often the two ends meet depends on the machine: from 17 on a busy one to 60.
	assert.NotZero(t, failed["net/http, which keeps them for 90 s"])
	assert.Zero(t, failed["transport"])
}
