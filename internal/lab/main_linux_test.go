package lab

import (
	"os"
	"testing"
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
	Main(m)
}
