//go:build !linux

package kernel_test

import (
	"errors"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/kernel/kerneltest"
)

// answering is a kernel that gives one answer to every getsockopt.
type answering struct {
	kernel.Kernel
	err error
}

func (a answering) Get(uintptr, int, int) (int, error) { return 0, a.err }

func TestKindOfByTheAnswer(t *testing.T) {
	t.Parallel()
	for rule, row := range map[string]struct {
		answer error
		want   kernel.Kind
	}{
		"the option exists":        {nil, kernel.TCP},
		"no such option":           {kerneltest.ENOPROTOOPT, kernel.NotTCP},
		"not on such a socket":     {kerneltest.EOPNOTSUPP, kernel.NotTCP},
		"the BSDs: not this level": {syscall.EINVAL, kernel.NotTCP},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			kind, err := kernel.KindOf(answering{err: row.answer}, 0)
			require.NoError(t, err)
			assert.Equal(t, row.want, kind)
		})
	}
	broken := errors.New("broken")
	_, err := kernel.KindOf(answering{err: broken}, 0)
	assert.ErrorIs(t, err, broken)
}
