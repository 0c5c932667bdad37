// Command postgres connects a pgx pool to a real PostgreSQL with keepalive that
// survives a path, on both sides; and lets the pool look whether a connection is
// alive before it is handed out.
//
//	go run ./postgres             starts PostgreSQL itself
//	go run ./postgres -url postgres://...
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/examples/internal/servers"
	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func main() {
	log.SetFlags(0)
	url := flag.String("url", "", "a server that is there; otherwise one is started")
	flag.Parse()
	if err := run(os.Stdout, *url); err != nil {
		log.Fatal(err)
	}
}

func run(w io.Writer, url string) error {
	path, err := align.Path("aws-nlb-tcp")
	if err != nil {
		return err
	}
	plan, err := align.Request{Path: path}.Plan()
	if err != nil {
		return err
	}
	if url == "" {
		// What keepalive plan --path aws-nlb-tcp --as postgresql prints.
		server, err := servers.PostgreSQL("tcp_keepalives_idle = 60\ntcp_keepalives_interval = 6\ntcp_keepalives_count = 3\ntcp_user_timeout = 79000")
		if err != nil {
			return err
		}
		defer server.Stop()
		url = "postgres://postgres@" + server.Address + "/postgres"
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	pool, err := newPool(ctx, url, plan.Config, func(err error) { fmt.Fprintln(w, "not handed out:", err) })
	if err != nil {
		return err
	}
	defer pool.Close()
	pid, err := show(ctx, w, pool)
	if err != nil {
		return err
	}
	return terminate(ctx, w, pool, pid)
}

// newPool makes a pool whose connections have this Config, and that hands out
// none that is known to be dead.
func newPool(ctx context.Context, url string, cfg sockopt.Config, rejected func(error)) (*pgxpool.Pool, error) {
	d, err := dialer.New(cfg)
	if err != nil {
		return nil, err
	}
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.ConnConfig.DialFunc = d.DialContext
	config.PrepareConn = func(_ context.Context, c *pgx.Conn) (bool, error) {
		err := inspect.Alive(c.PgConn().Conn())
		if err == nil || errors.Is(err, errors.ErrUnsupported) {
			return true, nil
		}
		rejected(err)
		return false, nil // another one
	}
	return pgxpool.NewWithConfig(ctx, config)
}

// show prints what both sides have for one connection.
func show(ctx context.Context, w io.Writer, pool *pgxpool.Pool) (pid uint32, err error) {
	c, err := pool.Acquire(ctx)
	if err != nil {
		return 0, err
	}
	defer c.Release()
	ours, err := sockopt.Get(c.Conn().PgConn().Conn())
	if err != nil {
		return 0, err
	}
	fmt.Fprintln(w, "pgx       ", ours)
	fmt.Fprint(w, "PostgreSQL")
	for _, name := range []string{"tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count", "tcp_user_timeout"} {
		var value string // of this connection's socket, not of the configuration
		if err := c.QueryRow(ctx, "SHOW "+name).Scan(&value); err != nil {
			return 0, err
		}
		fmt.Fprintf(w, " %s=%s", name, value)
	}
	fmt.Fprintln(w)
	return c.Conn().PgConn().PID(), nil
}

// terminate lets the server end a connection that is idle in the pool, and takes
// one from the pool.
func terminate(ctx context.Context, w io.Writer, pool *pgxpool.Pool, pid uint32) error {
	other, err := pgx.ConnectConfig(ctx, pool.Config().ConnConfig)
	if err != nil {
		return err
	}
	defer other.Close(ctx)
	if _, err := other.Exec(ctx, "SELECT pg_terminate_backend($1, 5000)", pid); err != nil {
		return err
	}
	var one int
	if err := pool.QueryRow(ctx, "SELECT 1").Scan(&one); err != nil {
		return err
	}
	fmt.Fprintln(w, "the query was answered:", one)
	return nil
}
