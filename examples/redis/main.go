// Command redis connects go-redis to a real redis-server with keepalive that
// survives a path, on both sides, and shows what the kernel has for each.
//
//	go run ./redis             starts redis-server itself
//	go run ./redis -addr HOST:6379
//	go run ./redis -tls        over TLS
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/examples/internal/servers"
	"github.com/tcpkeepalive/keepalive/examples/internal/sockets"
)

func main() {
	log.SetFlags(0)
	addr := flag.String("addr", "", "a server that is there; otherwise one is started")
	useTLS := flag.Bool("tls", false, "start the server with TLS")
	flag.Parse()
	if err := run(os.Stdout, *addr, *useTLS); err != nil {
		log.Fatal(err)
	}
}

func run(w io.Writer, addr string, useTLS bool) error {
	path, err := align.Path("aws-nlb-tcp")
	if err != nil {
		return err
	}
	plan, err := align.Request{Path: path}.Plan()
	if err != nil {
		return err
	}
	var config *tls.Config
	if addr == "" {
		// What keepalive plan --path aws-nlb-tcp --as redis prints.
		lines := "tcp-keepalive 60"
		if useTLS {
			dir, err := os.MkdirTemp("", "keepalive-example-")
			if err != nil {
				return err
			}
			defer os.RemoveAll(dir)
			cert, key, err := servers.Certificate(dir)
			if err != nil {
				return err
			}
			lines += fmt.Sprintf("\nport 0\ntls-port PORT\ntls-cert-file %s\ntls-key-file %s\ntls-auth-clients no\n", cert, key)
			if config, err = trusting(cert); err != nil {
				return err
			}
		}
		server, err := servers.Redis(lines)
		if err != nil {
			return err
		}
		defer server.Stop()
		addr = server.Address
	}

	d, err := dialer.New(plan.Config)
	if err != nil {
		return err
	}
	conns := make(chan net.Conn, 10) // for this example to look at
	client := redis.NewClient(&redis.Options{
		Addr: addr,
		// go-redis ignores TLSConfig where there is a Dialer, so this does TLS.
		Dialer: func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := d.DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			conns <- c
			if config == nil {
				return c, nil
			}
			secured := tls.Client(c, config)
			return secured, secured.HandshakeContext(ctx)
		},
	})
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	answer, err := client.Ping(ctx).Result()
	if err != nil {
		return err
	}
	fmt.Fprintln(w, "answer      ", answer)
	ours, theirs, err := sockets.Both(<-conns)
	fmt.Fprintln(w, "go-redis    ", ours)
	if err != nil {
		fmt.Fprintln(w, "redis-server", err)
		return nil
	}
	fmt.Fprintln(w, "redis-server", theirs)
	return nil
}

// trusting makes the configuration of a client that knows this certificate.
func trusting(cert string) (*tls.Config, error) {
	pem, err := os.ReadFile(filepath.Clean(cert))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s has no certificate", cert)
	}
	return &tls.Config{RootCAs: roots, ServerName: "localhost"}, nil
}
