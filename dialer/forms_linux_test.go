package dialer_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// A socket in the abstract namespace has no file.
func TestDialGRPCAbstract(t *testing.T) {
	t.Parallel()
	d := dialer.Dialer{Config: asked}
	abstract := "@keepalive-" + filepath.Base(filepath.Dir(testkit.UnixPath(t)))
	_, err := d.DialGRPC(context.Background(), "unix:"+abstract)
	require.ErrorContains(t, err, "dial unix "+abstract)
	serve(t, "unix", abstract, false)
	c, err := d.DialGRPC(context.Background(), "unix:"+abstract)
	require.NoError(t, err)
	testkit.Closing(t, c)
	assert.Equal(t, abstract, c.RemoteAddr().String())
	assert.Equal(t, "unix", c.RemoteAddr().Network())
}
