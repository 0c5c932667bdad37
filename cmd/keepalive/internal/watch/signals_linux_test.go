package watch

import (
	"os"
	"os/signal"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// The parent may have set all signals that end the program to be ignored. Other signals, such
// as SIGURG of the Go runtime, must not end the program then.
func TestNoSignalIsNotAll(t *testing.T) {
	none, marker := make(chan os.Signal, 1), make(chan os.Signal, 1)
	notify(none, nil)
	signal.Notify(marker, unix.SIGUSR2)
	defer signal.Stop(none)
	defer signal.Stop(marker)
	for range 2 { // with the second the first has been handed to all
		require.NoError(t, unix.Kill(os.Getpid(), unix.SIGUSR2))
		<-marker
	}
	assert.Empty(t, none)
}
