package main

import (
	"bytes"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(&out))
	t.Log("\n" + out.String())
	made, reused := map[string]int{}, map[string]int{}
	for line := range strings.Lines(out.String()) {
		if fields := strings.Fields(line); strings.HasPrefix(line, "net/http") || strings.HasPrefix(line, "transport") {
			n := len(fields)
			name := strings.Join(fields[:n-4], " ")
			made[name], reused[name] = number(t, fields[n-4]), number(t, fields[n-3])
			assert.Equal(t, runtime.GOOS != "linux", fields[n-1] == "?", line)
		}
	}
	for name, want := range map[string]int{
		"net/http, body not read":                              100,
		"net/http, body read":                                  1,
		"transport, body not read":                             1,
		"net/http, empty body not read":                        1,
		"net/http, response dropped, body never closed":        100,
		"net/http, two names of one address":                   2,
		"net/http, the server has SetKeepAlivesEnabled(false)": 100,
		"net/http, the client has DisableKeepAlives":           100,
		"net/http, TLS, body not read":                         100,
		"net/http, TLS, body read":                             1,
	} {
		assert.Equal(t, want, made[name], name)
		assert.Equal(t, 100-want, reused[name], name)
	}
	assert.Greater(t, made["net/http, body read, bursts of 10, 2 kept idle"], 50)
	assert.LessOrEqual(t, made["net/http, body read, bursts of 10, 10 kept idle"], 12)
	assert.LessOrEqual(t, made["transport, body not read, bursts of 10"], 12)

	fresh, again := lineOf(t, out.String(), "a new connection"), lineOf(t, out.String(), "a reused one")
	assert.Greater(t, fresh[2], 0.0, "TLS")
	assert.Equal(t, []float64{0, 0, 0}, again[:3], "DNS, connect and TLS are saved")
	assert.GreaterOrEqual(t, again[3], 19.0, "the server's time is not")
}

func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	return n
}

// lineOf returns the milliseconds of a line.
func lineOf(t *testing.T, out, name string) (ms []float64) {
	t.Helper()
	_, rest, found := strings.Cut(out, "\n"+name)
	require.True(t, found, name)
	line, _, _ := strings.Cut(rest, "\n")
	for _, field := range strings.Fields(line) {
		n, err := strconv.ParseFloat(strings.TrimSuffix(field, "ms"), 64)
		require.NoError(t, err)
		ms = append(ms, n)
	}
	return ms
}
