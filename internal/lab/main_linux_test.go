package lab

import (
	"os"
	"testing"

	"github.com/tcpkeepalive/keepalive/internal/netlab"
)

func TestMain(m *testing.M) {
	if os.Getpid() == 1 { // the only program of a virtual machine
		boot(m)
	}
	if address := os.Getenv(serverProcess); address != "" {
		serveOneByte(address)
		return
	}
	go machine.watch()
	netlab.Main(m)
}
