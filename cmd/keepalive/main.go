// Command keepalive asks for TCP keepalive, and shows what the kernel made of it.
package main

import (
	"os"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/cli"
)

func main() { os.Exit(cli.Run(cli.Commands, os.Args[1:], os.Stdout, os.Stderr)) }
