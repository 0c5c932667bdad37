package syntax_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// A real client and a real server of grpc-go with what is written for them: the server
// never closes the connection for too many pings, although the client has no call. With
// its default policy the same server does, so that the test is one. The server's own
// pings are left out, because the client does not ping where it hears of the server. It
// pings every 10 s at most, and the fourth ping is the one too many.
func TestGRPCIsNotClosedForTooManyPings(t *testing.T) {
	testkit.Long(t)
	t.Parallel()
	p := behindProxy(t, 12*time.Second)  // a ping every 10 s
	p.Request.Path[0].Layer = "L4 proxy" // and no idle timeout, as it may count pings
	p.Request.Path[0].Protocol = "TCP"
	text, _ := write(t, "grpc", p)
	assert.Contains(t, text, "Time:                10 * time.Second")
	program := func(text string) string {
		return `package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/listener"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func main() {
` + text + `
	check := func(err error) {
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	lc, err := listener.New(config)
	check(err)
	lc.Pin = true
	l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	check(err)
	s := grpc.NewServer(server...)
	go s.Serve(l)
	d, err := dialer.New(config)
	check(err)
	d.Pin = true
	dialed := 0
	client = append(client, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
		dialed++
		return d.DialGRPC(ctx, address)
	}))
	c, err := grpc.NewClient(l.Addr().String(), client...)
	check(err)
	c.Connect()
	ctx, cancel := context.WithTimeout(context.Background(), 55*time.Second)
	defer cancel()
	for state := c.GetState(); state != connectivity.Ready && c.WaitForStateChange(ctx, state); state = c.GetState() {
	}
	c.WaitForStateChange(ctx, connectivity.Ready)
	fmt.Println(c.GetState(), dialed, ctx.Err() != nil)
}
`
	}
	own := regexp.MustCompile(`\tgrpc.KeepaliveParams\(.*\n`)
	assert.Regexp(t, own, text)
	text = own.ReplaceAllString(text, "")
	policy := regexp.MustCompile(`(?s)\tgrpc.KeepaliveEnforcementPolicy.*?\n\t}\),\n`)
	refused := policy.ReplaceAllString(text, "")
	assert.NotEqual(t, text, refused)
	for name, tt := range map[string]struct{ text, want string }{
		"as written":         {text, "READY 1 true"},
		"the default policy": {refused, "false"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := run(t, "go", "run", file(t, "main.go", program(tt.text)))
			assert.Contains(t, strings.TrimSpace(out), tt.want, fmt.Sprint(out))
		})
	}
}
