// Command grpc connects a gRPC client and server whose sockets survive a path that
// forgets, keep what they were given, and shows what the kernel has for both.
//
// grpc-go sets TCP_USER_TIMEOUT=20000 on every connection that a server accepts, so
// that one lost probe ends it; a pinned listener does not let it. A server that is
// not pinned hears of it with ListenConfig.VerifyAfter.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/listener"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func main() {
	log.SetFlags(0)
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(w io.Writer) error {
	path, err := align.Path("aws-nlb-tcp")
	if err != nil {
		return err
	}
	plan, err := align.Request{Path: path}.Plan()
	if err != nil {
		return err
	}
	server, err := serve(plan.Config)
	if err != nil {
		return err
	}
	defer server.Stop()
	client, err := connect(plan.Config, server.address)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	answer, err := grpc_health_v1.NewHealthClient(client).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
	if err != nil {
		return err
	}
	fmt.Fprintln(w, "health", answer.GetStatus())
	for _, end := range []struct {
		name string
		conn net.Conn
	}{{"client", <-client.conns}, {"server", <-server.conns}} {
		settings, err := sockopt.Get(end.conn)
		if err != nil {
			return err
		}
		fmt.Fprintln(w, end.name, settings)
	}
	return nil
}

// A runningServer has the health service.
type runningServer struct {
	*grpc.Server
	address string
	conns   chan net.Conn // for this example to look at
}

// serve starts a server whose connections have this Config.
func serve(cfg sockopt.Config, options ...grpc.ServerOption) (*runningServer, error) {
	return serveOn("127.0.0.1:0", cfg, true, options...)
}

func serveOn(address string, cfg sockopt.Config, pin bool, options ...grpc.ServerOption) (*runningServer, error) {
	lc := listener.ListenConfig{Config: cfg, Pin: pin} // without Pin grpc-go sets a user timeout of 20 s
	l, err := lc.Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, err
	}
	s := &runningServer{Server: grpc.NewServer(options...), address: l.Addr().String(), conns: make(chan net.Conn, 10)}
	grpc_health_v1.RegisterHealthServer(s, health.NewServer())
	go s.Serve(watched{l, s.conns})
	return s, nil
}

// watched lets the example see the connections that are accepted.
type watched struct {
	net.Listener
	conns chan net.Conn
}

func (w watched) Accept() (net.Conn, error) {
	c, err := w.Listener.Accept()
	if err == nil {
		w.conns <- c
	}
	return c, err
}

// A runningClient is a connection.
type runningClient struct {
	*grpc.ClientConn
	conns chan net.Conn
	dial  func(context.Context, string) (net.Conn, error)
}

// connect makes a client whose connections have this Config. With a dialer of one's
// own grpc-go ignores HTTPS_PROXY.
func connect(cfg sockopt.Config, address string, options ...grpc.DialOption) (*runningClient, error) {
	d, err := dialer.New(cfg)
	if err != nil {
		return nil, err
	}
	d.Pin = true // or gRPC keepalive parameters would set a user timeout
	c := &runningClient{conns: make(chan net.Conn, 10)}
	c.dial = func(ctx context.Context, addr string) (net.Conn, error) {
		conn, err := d.DialGRPC(ctx, addr)
		if err == nil {
			c.conns <- conn
		}
		return conn, err
	}
	options = append([]grpc.DialOption{
		grpc.WithContextDialer(c.dial), // d.DialGRPC, if nobody wants to look
		grpc.WithTransportCredentials(insecure.NewCredentials()),
	}, options...)
	c.ClientConn, err = grpc.NewClient(address, options...)
	return c, err
}
