package lab

import (
	"flag"
	"os"
	"testing"

	"github.com/tcpkeepalive/keepalive/internal/netlab"
)

// TestMain lets many tests run at a time: they wait, nearly all of their time.
func TestMain(m *testing.M) {
	if os.Getpid() == 1 { // the only program of a virtual machine
		boot(m)
	}
	if address := os.Getenv(serverProcess); address != "" {
		serveOneByte(address)
		return
	}
	flag.Parse()
	parallel()
	netlab.Main(m)
}

func parallel() {
	if err := flag.Set("test.parallel", "64"); err != nil {
		panic(err)
	}
}
