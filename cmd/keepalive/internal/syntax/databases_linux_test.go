package syntax_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/syntax"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// The real mariadbd says what it makes of the file.
func TestMariaDB(t *testing.T) {
	t.Parallel()
	withEach(t, "mariadb", func(t *testing.T, p syntax.Plan, text string) {
		t.Parallel()
		out := run(t, "mariadbd", "--defaults-file="+file(t, "my.cnf", text), "--verbose", "--help")
		for name, value := range map[string]int{
			"tcp-keepalive-time":     int(p.Config.Idle / time.Second),
			"tcp-keepalive-interval": int(p.Config.Interval / time.Second),
			"tcp-keepalive-probes":   p.Config.Count,
		} {
			assert.Regexp(t, fmt.Sprintf(`(?m)^%s +%d$`, name, value), out)
		}
	})
}

// A real client of Kafka, librdkafka: it switches keepalive on, and takes the idle time.
func TestKafka(t *testing.T) {
	t.Parallel()
	testkit.Root(t)
	text, _ := write(t, "kafka", plans(t)["nlb"])
	path := file(t, "client.properties", text)
	address, next := accepts(t)
	out := run(t, "kcat", "-F", path, "-X", "dump", "-b", address, "-C", "-t", "topic", "-o", "0", "-e")
	assert.Contains(t, out, "socket.keepalive.enable = true\n")
	assert.Contains(t, out, "connections.max.idle.ms = 348000\n", "sooner than 350 s")
	start(t, nil, "kcat", "-F", path, "-b", address, "-L", "-m", "60")
	c := next()
	requireSettings(t, c.RemoteAddr(), c.LocalAddr(), switchedOn(t))
}

// What pgx and go-sql-driver/mysql are given is Go that compiles, as is that for net/http
// and grpc-go.
func TestGoCompiles(t *testing.T) {
	t.Parallel()
	testkit.Long(t)
	var b strings.Builder
	b.WriteString(`package main

import (
	"database/sql"
	"net/http"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

var (
	db  *sql.DB
	uri string
)

func use(...any) {}

func main() {}
`)
	for i, name := range []string{"go", "grpc", "pgx", "go-mysql"} {
		text, _ := write(t, name, behindBalancer(t))
		fmt.Fprintf(&b, "\nfunc f%d() error {\n%s", i, text)
		switch name {
		case "go", "grpc":
			b.WriteString("use(config, client, server)\n")
		case "pgx":
			b.WriteString("use(pool)\n")
		}
		b.WriteString("return nil\n}\n")
	}
	run(t, "go", "vet", file(t, "main.go", b.String()))
}
