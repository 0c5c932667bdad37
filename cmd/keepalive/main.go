// Command keepalive asks for TCP keepalive, and shows what the kernel made of it.
package main

import (
	"os"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/check"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/cli"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/demo"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/discover"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/ls"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/plan"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/profiles"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/trace"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/watch"
)

// commands are those of the program. A command does not know the others: what several
// need is in a package of its own beside them.
var commands = []cli.Command{
	{Name: "check", New: check.New},
	{Name: "demo", New: demo.New},
	{Name: "discover", New: discover.New},
	{Name: "ls", New: ls.New},
	{Name: "plan", New: plan.New},
	{Name: "profiles", New: profiles.New},
	{Name: "trace", New: trace.New},
	{Name: "watch", New: watch.New},
}

func main() { os.Exit(cli.Run(commands, os.Args[1:], os.Stdout, os.Stderr)) }
