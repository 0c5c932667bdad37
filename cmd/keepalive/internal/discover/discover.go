// Package discover is the command keepalive discover: after what silence a path forgets a
// connection.
package discover

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/flags"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/interrupt"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/terminal"
	"github.com/tcpkeepalive/keepalive/discover"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

type options struct {
	mode        string
	guess       flags.Seconds
	min, max    flags.Seconds
	wait        flags.Seconds
	connections int
	json        bool
	tls         bool
	serverName  string
	insecure    bool
}

// New makes the command.
func New() *cobra.Command {
	o := options{min: flags.Seconds(time.Second), max: flags.Seconds(2 * time.Hour), wait: flags.Seconds(time.Second), connections: 64} // as in discover.Options
	cmd := &cobra.Command{
		Use:   "discover HOST:PORT",
		Short: "Measure after what silence a path forgets a connection",
		Long: `discover makes connections to a server, leaves each one idle for a different
time, and looks whether it still works. It tells the longest silence that was
survived, the shortest that was not, and how that ended: FIN or RST by itself,
RST on the next packet, or silence. Two rounds find 350 s in about 13 minutes,
--guess 350s in 6.

--mode is what counts as alive:
  plain  the peer's kernel answers a TCP keepalive probe; no byte reaches the
         program there (Linux)
  echo   the server sends a byte back
  http   the server answers HEAD /

With --tls each connection begins with a TLS handshake: a server that expects
one soon ends connections without it, which would be taken for the timeout.

A server that sends keepalive probes of its own, as Go servers do every 15 s,
keeps the path alive: nothing longer than that can be seen then, and discover
says so. It states no figure where connections disagree, as those to several
servers behind one address: where others survived a silence that is longer by
5 % and at least 0.2 s. One connection alone, or fewer than one in twenty, may
die or survive by accident, or fail to be tested; where more could not be
tested, it states no figure either. Nor where none survived --min, unless the
server ended them by itself, or a server closes after each response. In all
these cases the timeout is unknown and the exit code is 5; that all connections
lived until --max is an answer.

Interrupted, it prints what is known by then; also if its terminal is closed.`,
		Example: `  keepalive discover db.example.com:5432
  keepalive discover example.com:80 --mode http --guess 60s
  keepalive discover example.com:443 --tls --mode http
  keepalive discover echo.example.com:7 --mode echo --max 10m --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return exit.UsageError(errors.New("want one HOST:PORT, as in db.example.com:5432"))
			}
			ctx, stop := interrupt.Context()
			defer stop()
			return o.run(ctx, args[0], cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.mode, "mode", "plain", "what counts as alive: plain, echo or http")
	f.Var(flags.MoreThan0(&o.guess), "guess", "a figure to test first")
	f.Var(flags.MoreThan0(&o.min), "min", "shortest time to try")
	f.Var(flags.MoreThan0(&o.max), "max", "longest time to try, at most 30d")
	f.Var(flags.MoreThan0(&o.wait), "wait", "how long an answer may take, at most 1m")
	f.Var(flags.Number(&o.connections, 4, 1000), "connections", "how many at the same time, 4 to 1000")
	f.BoolVar(&o.tls, "tls", false, "speak TLS")
	f.StringVar(&o.serverName, "server-name", "", "with --tls: whose certificate is expected, and asked for in http mode (default: HOST)")
	f.BoolVar(&o.insecure, "insecure", false, "with --tls: any certificate will do")
	f.BoolVar(&o.json, "json", false, "print one JSON object")
	flags.CompleteWords(cmd, "mode", func() []string { return []string{"plain", "echo", "http"} })
	return cmd
}

// options turns the flags into those of the package.
func (o *options) options(address string) (discover.Options, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return discover.Options{}, fmt.Errorf("want HOST:PORT: %w", err)
	}
	if n, err := net.LookupPort("tcp", port); err != nil || n == 0 {
		return discover.Options{}, fmt.Errorf("%s: %q is no port: want 1 to 65535, or a name like https", address, port)
	}
	d := discover.Options{
		Address: address, Guess: time.Duration(o.guess), Min: time.Duration(o.min), Max: time.Duration(o.max),
		Wait: time.Duration(o.wait), Connections: o.connections,
	}
	switch o.mode {
	case "plain":
		d.Check = discover.Probe
	case "echo":
		d.Check = discover.Echo
	case "http":
		d.Check = discover.HTTP(cmp.Or(o.serverName, address))
	default:
		return d, fmt.Errorf("--mode %q: want plain, echo or http", o.mode)
	}
	if err := o.checkTimes(); err != nil {
		return d, err
	}
	if !o.tls {
		if o.serverName != "" || o.insecure {
			return d, errors.New("--server-name and --insecure are for --tls")
		}
		return d, nil
	}
	config := &tls.Config{ServerName: cmp.Or(o.serverName, host), InsecureSkipVerify: o.insecure}
	if o.mode == "http" {
		config.NextProtos = []string{"http/1.1"}
	}
	d.Secure = handshake(config)
	return d, nil
}

// checkTimes finds out whether the times fit together, and those of discover.Options.
func (o *options) checkTimes() error {
	const longest, longestWait = flags.Seconds(30 * 24 * time.Hour), flags.Seconds(time.Minute)
	switch {
	case o.max > longest:
		return fmt.Errorf("--max %s: want at most %s", &o.max, new(longest))
	case o.wait > longestWait:
		return fmt.Errorf("--wait %s: want at most %s", &o.wait, new(longestWait))
	case o.min > o.max:
		return fmt.Errorf("--min %s is longer than --max %s", &o.min, &o.max)
	case o.guess > 0 && (o.guess < o.min || o.guess > o.max):
		return fmt.Errorf("--guess %s: want it between --min %s and --max %s", &o.guess, &o.min, &o.max)
	}
	return nil
}

func (o *options) run(ctx context.Context, address string, stdout, stderr io.Writer) error {
	d, err := o.options(address)
	if err != nil {
		return exit.UsageError(err)
	}
	p := progress{w: stderr, live: terminal.Width(stderr) > 0}
	d.Progress = p.show
	r, err := discover.Run(ctx, d)
	p.end()
	switch {
	case r == nil:
		return exit.UsageError(err)
	case !measured(r) && ctx.Err() != nil:
		return exit.UnknownError(errors.New("interrupted before anything was known"))
	case !measured(r) && errors.Is(err, sockopt.ErrUnknown):
		return exit.UnknownError(err)
	case !measured(r):
		return err
	}
	if ctx.Err() != nil {
		err = exit.UnknownError(errors.New("interrupted: the bounds are wider than they had to be"))
	}
	if why := r.Err(); why != nil {
		err = exit.Join(err, exit.Said(exit.UnknownError(why)))
	}
	if o.json {
		return exit.Join(discoverJSON(stdout, r, err), err)
	}
	printDiscovery(stdout, r)
	return err
}

// measured tells whether any connection could be tested.
func measured(r *discover.Result) bool {
	return slices.ContainsFunc(r.Tests, func(t discover.Test) bool { return t.Err == nil })
}
