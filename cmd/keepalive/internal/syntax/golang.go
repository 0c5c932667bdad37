package syntax

import (
	"fmt"
	"strings"
)

// config writes the Config as a statement.
func (p Plan) config() string {
	var b strings.Builder
	fmt.Fprintln(&b, "config := sockopt.Config{")
	fmt.Fprintf(&b, "\tIdle:        %d * time.Second,\n", p.idle())
	fmt.Fprintf(&b, "\tInterval:    %d * time.Second,\n", p.interval())
	fmt.Fprintf(&b, "\tCount:       %d,\n", p.count())
	switch ms := p.userTimeout(); {
	case ms == 0:
		fmt.Fprintln(&b, "\tUserTimeout: sockopt.NoUserTimeout,")
	case ms%1000 == 0:
		fmt.Fprintf(&b, "\tUserTimeout: %d * time.Second,\n", ms/1000)
	default:
		fmt.Fprintf(&b, "\tUserTimeout: %d * time.Millisecond,\n", ms)
	}
	fmt.Fprintln(&b, "}")
	return b.String()
}

func golang(p Plan) (string, []string) {
	text := p.config()
	if s, ok := p.client(); ok {
		text += "\n// The client's end of the path; transport.New takes it as Base.\n" +
			"client := http.DefaultTransport.(*http.Transport).Clone()\n" +
			fmt.Sprintf("client.IdleConnTimeout = %d * time.Second\n", s)
	}
	if s, ok := p.server(); ok {
		text += "\n// The server's end.\n" +
			fmt.Sprintf("server := &http.Server{IdleTimeout: %d * time.Second}\n", s)
	}
	return text, []string{"the Config is for dialer.New, listener.New and sockopt.Set; a net.Dialer or net.ListenConfig alone overwrites it with 15 s, 15 s and 9"}
}

// grpc: https://pkg.go.dev/google.golang.org/grpc/keepalive. grpc-go pings at most
// every 10 s (internal.KeepaliveMinPingTime), and a server closes a connection with
// too_many_pings after three pings that came sooner than MinTime after the one before
// (internal/transport/http2_server.go, maxPingStrikes). Half of Time leaves room for
// pings that the network holds up.
func grpc(p Plan) (string, []string) {
	const shortest, timeout = 10, 20
	period := max(shortest, p.beat())
	var b strings.Builder
	b.WriteString(p.config())
	fmt.Fprintln(&b, "\n// A client.")
	fmt.Fprintln(&b, "client := []grpc.DialOption{")
	fmt.Fprintln(&b, "\tgrpc.WithKeepaliveParams(keepalive.ClientParameters{")
	fmt.Fprintf(&b, "\t\tTime:                %d * time.Second,\n", period)
	fmt.Fprintf(&b, "\t\tTimeout:             %d * time.Second,\n", timeout)
	fmt.Fprintln(&b, "\t\tPermitWithoutStream: true,")
	fmt.Fprintln(&b, "\t}),")
	if s, ok := p.client(); ok {
		fmt.Fprintf(&b, "\tgrpc.WithIdleTimeout(%d * time.Second),\n", s)
	}
	fmt.Fprintln(&b, "}")
	fmt.Fprintln(&b, "\n// A server. MinTime lets it accept the client's pings.")
	fmt.Fprintln(&b, "server := []grpc.ServerOption{")
	fmt.Fprintf(&b, "\tgrpc.KeepaliveParams(keepalive.ServerParameters{Time: %d * time.Second, Timeout: %d * time.Second}),\n", period, timeout)
	fmt.Fprintln(&b, "\tgrpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{")
	fmt.Fprintf(&b, "\t\tMinTime:             %d * time.Second,\n", period/2)
	fmt.Fprintln(&b, "\t\tPermitWithoutStream: true,")
	fmt.Fprintln(&b, "\t}),")
	fmt.Fprintln(&b, "}")
	notes := []string{
		"client and server are all that grpc-go needs; config adds TCP keepalive with this module. That needs a pinned connection, because grpc-go sets TCP_USER_TIMEOUT to Timeout: use grpc.WithContextDialer(d.DialGRPC) with d, err := dialer.New(config) and d.Pin = true, and for the server lc, err := listener.New(config) with lc.Pin = true",
		"set MinTime on every server before the first client has Time, or servers close connections with too_many_pings: their default is 5 minutes",
	}
	if p.beat() < shortest {
		notes = append(notes, fmt.Sprintf("grpc-go cannot ping more often than every %d s, and this path needs a ping every %d s", shortest, p.beat()))
	}
	if _, ok := p.client(); ok {
		notes = append(notes, "HTTP/2 PING frames end at an HTTP proxy, and most do not count them: there grpc.WithIdleTimeout closes an idle connection first")
	}
	return b.String(), notes
}

// pgx: https://pkg.go.dev/github.com/jackc/pgx/v5/pgxpool#Config
func pgx(p Plan) (string, []string) {
	text := p.config() + `
d, err := dialer.New(config)
if err != nil {
	return err
}
pool, err := pgxpool.ParseConfig(uri)
if err != nil {
	return err
}
pool.ConnConfig.DialFunc = d.DialContext
`
	if s, ok := p.pooled(); ok {
		text += fmt.Sprintf("pool.MaxConnIdleTime = %d * time.Second\n", s)
	}
	return text, []string{"pgx takes no keepalive values in its connection string, unlike libpq"}
}

// goMySQL: https://pkg.go.dev/github.com/go-sql-driver/mysql#RegisterDialContext
func goMySQL(p Plan) (string, []string) {
	text := p.config() + `
d, err := dialer.New(config)
if err != nil {
	return err
}
mysql.RegisterDialContext("tcp", d.DialAddr("tcp"))
`
	if s, ok := p.pooled(); ok {
		text += fmt.Sprintf("db.SetConnMaxIdleTime(%d * time.Second) // db, err := sql.Open(\"mysql\", dsn)\n", s)
	}
	return text, []string{"the dialer is for every DSN with the network tcp"}
}
