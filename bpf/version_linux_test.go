package bpf

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sys/unix"

	_ "github.com/tcpkeepalive/keepalive/sockopt"
)

func TestSupported(t *testing.T) {
	if err := supported(); err != nil {
		assert.True(t, errors.Is(err, errors.ErrUnsupported) || errors.Is(err, unix.EPERM), "%v", err)
	}
}
