package transport_test

import (
	"flag"
	"os"
	"testing"

	"github.com/tcpkeepalive/keepalive/internal/lab"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// Many tests wait, and many need a processor in time, which is why these are not all at once.
func TestMain(m *testing.M) {
	flag.Parse()
	if !raceDetector && !testkit.LongTestsRun() {
		lab.AtATime(4)
	}
	os.Exit(m.Run())
}
