package profiles

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/paths"
	"github.com/tcpkeepalive/keepalive/platform"
)

func TestProfiles(t *testing.T) {
	t.Parallel()
	code, out, _ := command("profiles")
	assert.Equal(t, exit.OK, code)
	assert.Equal(t, len(new(align.Catalog).Profiles())+1, strings.Count(out, "\n"))
	for _, want := range []string{
		`aws-nlb-tcp +350s +60s-6000s +yes +silent; RST on next packet +L4`,
		`aws-alb +60s +1s-4000s +no \(inferred\)`,
		`aws-alb-client-keepalive +3600s, maximum age`,
		`gcp-proxy-nlb +30s \(from memory\) +- +no \(from memory\) +closed \(from memory\)`,
		`aws-transit-gateway +\? +- +\? +\?`,
		`gcp-cloud-nat +1200s \(secondary\)`,
	} {
		assert.Regexp(t, want, out)
	}
	code, out, _ = command("profiles", "nat", "AWS")
	assert.Equal(t, exit.OK, code)
	assert.Contains(t, out, "aws-nat-gateway")
	assert.NotContains(t, out, "azure")
	for words, want := range map[string]string{
		"aws nobody": "no profile has nobody\n",
		"azrue":      "no profile has azrue; did you mean azure",
		"aws azure":  "no profile has aws and azure\n",
	} {
		code, out, errs := command(append([]string{"profiles"}, strings.Fields(words)...)...)
		assert.Equal(t, exit.Nothing, code, words)
		assert.Empty(t, out)
		assert.Contains(t, errs, want)
	}

	_, out, _ = command("profiles", "--json")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, lines, len(new(align.Catalog).Profiles()))
	for i, p := range new(align.Catalog).Profiles() {
		var r paths.Profile
		require.NoError(t, json.Unmarshal([]byte(lines[i]), &r))
		assert.Equal(t, p.ID, r.ID)
		assert.Equal(t, p.Timeout == 0, r.Timeout == nil)
		assert.Equal(t, p.Refreshed == platform.Unknown, r.Refreshed == nil)
		assert.NotEmpty(t, r.Source)
	}
}
