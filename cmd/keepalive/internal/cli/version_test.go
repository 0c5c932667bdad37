package cli

import (
	"bytes"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/platform"
)

func TestVersion(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	code := Run(nil, []string{"--version"}, &out, &errs)
	assert.Equal(t, exit.OK, code, errs.String())
	assert.Regexp(t, `^keepalive \S.*, go1\.`, out.String())
	assert.Contains(t, out.String(), "\nplatform table: "+platform.Current().Name+"\n")
	for want, info := range map[string]*debug.BuildInfo{
		"v0.2.0":             {Main: debug.Module{Version: "v0.2.0"}},
		"(devel) 0123":       {Main: debug.Module{Version: "(devel)"}, Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "0123"}}},
		"(devel)":            {Main: debug.Module{Version: "(devel)"}},
		"of unknown version": {},
	} {
		assert.Equal(t, want, moduleVersion(info, true))
	}
	assert.Equal(t, "of unknown version", moduleVersion(nil, false))
}
