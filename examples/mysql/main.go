// Command mysql connects go-sql-driver/mysql to a real MariaDB with keepalive that
// survives a path, and shows what the kernel has.
//
//	go run ./mysql             starts MariaDB itself
//	go run ./mysql -dsn user:password@tcp(host:3306)/
package main

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/examples/internal/servers"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func main() {
	log.SetFlags(0)
	dsn := flag.String("dsn", "", "a server that is there; otherwise one is started")
	flag.Parse()
	if err := run(os.Stdout, *dsn); err != nil {
		log.Fatal(err)
	}
}

func run(w io.Writer, dsn string) error {
	path, err := align.Path("aws-nlb-tcp")
	if err != nil {
		return err
	}
	plan, err := align.Request{Path: path}.Plan()
	if err != nil {
		return err
	}
	if dsn == "" {
		server, err := servers.MariaDB("")
		if err != nil {
			return err
		}
		defer server.Stop()
		dsn = "root@tcp(" + server.Address + ")/mysql"
	}
	d, err := dialer.New(plan.Config)
	if err != nil {
		return err
	}
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		return err
	}
	conns := make(chan net.Conn, 10) // for this example to look at
	config.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := d.DialContext(ctx, network, addr)
		if err == nil {
			conns <- c
		}
		return c, err
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var version string
	if err := db.QueryRowContext(ctx, "SELECT VERSION()").Scan(&version); err != nil {
		return err
	}
	fmt.Fprintln(w, "server", version)
	ours, err := sockopt.Get(<-conns)
	fmt.Fprintln(w, "mysql ", ours)
	return err
}
