package main

import "github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/clitest"

func command(args ...string) (code int, stdout, stderr string) {
	return clitest.Run(commands, args...)
}
