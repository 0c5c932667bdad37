package syntax

import (
	"fmt"
	"time"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/conffile"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// postgresql: https://www.postgresql.org/docs/current/runtime-config-connection.html
func postgresql(p Plan) (string, []string) {
	return fmt.Sprintf("tcp_keepalives_idle = %d\ntcp_keepalives_interval = %d\ntcp_keepalives_count = %d\ntcp_user_timeout = %d\n",
			p.idle(), p.interval(), p.count(), p.userTimeout()),
		[]string{"the last is in milliseconds, and since PostgreSQL 12; SHOW tells 0 on a Unix socket"}
}

// libpq: https://www.postgresql.org/docs/current/libpq-connect.html
func libpq(p Plan) (string, []string) {
	return fmt.Sprintf("postgresql://localhost/?keepalives=1&keepalives_idle=%d&keepalives_interval=%d&keepalives_count=%d&tcp_user_timeout=%d\n",
			p.idle(), p.interval(), p.count(), p.userTimeout()),
		[]string{"tcp_user_timeout is in milliseconds, since PostgreSQL 12; this is for programs that use libpq, a Go driver takes a dialer"}
}

// psycopg: https://www.psycopg.org/psycopg3/docs/api/connections.html, whose parameters
// are those of libpq.
func psycopg(p Plan) (string, []string) {
	return fmt.Sprintf("KEEPALIVE = dict(\n    keepalives=1,\n    keepalives_idle=%d,\n    keepalives_interval=%d,\n    keepalives_count=%d,\n    tcp_user_timeout=%d,\n)\n",
			p.idle(), p.interval(), p.count(), p.userTimeout()),
		[]string{"psycopg.connect(conninfo, **KEEPALIVE), or connect_args=KEEPALIVE of SQLAlchemy's create_engine; tcp_user_timeout is in milliseconds"}
}

// pgjdbc: https://jdbc.postgresql.org/documentation/use/#connection-parameters
func pgjdbc(p Plan) (string, []string) {
	return "tcpKeepAlive=true\n", p.systemDefaults("its connections")
}

// connectorJ: https://dev.mysql.com/doc/connector-j/en/connector-j-connp-props-networking.html
func connectorJ(p Plan) (string, []string) {
	return "tcpKeepAlive=true\n", p.systemDefaults("its connections")
}

// systemDefaults is for programs that only switch keepalive on.
func (p Plan) systemDefaults(what string) []string {
	notes := []string{what + " have the system's defaults: see --as sysctl, --as kubernetes or --as docker for the values of the plan"}
	if s, ok := p.pool(); ok {
		notes = append(notes, fmt.Sprintf("without them, let the pool close what was idle for %d s (HikariCP: idleTimeout=%d)", s, s*1000))
	}
	return notes
}

// mariadb: https://mariadb.com/kb/en/server-system-variables/#tcp_keepalive_time. 0, the
// default of each, stands for the system's.
func mariadb(p Plan) (string, []string) {
	return fmt.Sprintf("[mariadbd]\ntcp_keepalive_time = %d\ntcp_keepalive_interval = %d\ntcp_keepalive_probes = %d\n", p.idle(), p.interval(), p.count()),
		[]string{
			"mariadbd itself closes idle connections after wait_timeout (8 h by default), which probes do not put off",
			"MySQL's server has no such variables: it switches keepalive on, with the system's defaults, see --as sysctl",
		}
}

// mariadbCloses: https://mariadb.com/kb/en/server-system-variables/#wait_timeout. It takes
// 1 s to a year.
func mariadbCloses(Plan, bool) conffile.Closing {
	return conffile.Closing{After: 8 * time.Hour, By: "mariadbd", Text: "wait_timeout, its default", Protocol: "SQL"}
}

// mysql2: https://sidorares.github.io/node-mysql2/docs/examples/connections/create-pool
func mysql2(p Plan) (string, []string) {
	delay, notes := p.nodeDelay()
	text := fmt.Sprintf("const pool = mysql.createPool({\n  uri,\n  enableKeepAlive: true,\n  keepAliveInitialDelay: %d,\n", delay)
	if s, ok := p.pooled(); ok {
		text += fmt.Sprintf("  idleTimeout: %d,\n  maxIdle: 0, // idleTimeout is for what is beyond maxIdle\n", s*1000)
	}
	return text + "});\n", notes
}

// redis: anetKeepAlive in anet.c sets the interval to a third of the value and
// the count to 3.
func redis(p Plan) (string, []string) {
	value, ok := p.longest(redisConfig)
	notes := []string{p.difference("redis-server sets the interval to a third of the value and the count to 3", redisConfig(value))}
	if !ok {
		notes = append(notes, "no value of tcp-keepalive does what the plan does: fewer probes may be lost, or a dead peer is noticed later")
	}
	return fmt.Sprintf("tcp-keepalive %d\n", value), notes
}

func redisSides(p Plan) []side {
	value, _ := p.longest(redisConfig)
	return []side{sideWith("its connections", redisConfig(value)).accepted()}
}

func redisConfig(seconds int64) sockopt.Config {
	return sockopt.Config{
		Idle:     time.Duration(seconds) * time.Second,
		Interval: time.Duration(max(1, seconds/3)) * time.Second,
		Count:    3,
	}
}

// kafka: https://kafka.apache.org/documentation/#producerconfigs_connections.max.idle.ms
// and https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md. The Java
// client always switches keepalive on (org.apache.kafka.common.network.Selector).
func kafka(p Plan) (string, []string) {
	text := "# librdkafka only; the Java client does it in any case.\nsocket.keepalive.enable=true\n"
	notes := []string{"the values of probes are the system's defaults: see --as sysctl, --as kubernetes or --as docker; a Go client takes a dialer, kgo.Dialer(d.DialContext)"}
	if s, ok := p.pool(); ok {
		text += fmt.Sprintf("# Sooner than anything on the path. The default of the Java client is 9 minutes.\nconnections.max.idle.ms=%d\n", s*1000)
		notes = append(notes, fmt.Sprintf("the broker's connections.max.idle.ms (10 minutes by default) has to be longer than %d ms", s*1000))
	}
	return text, notes
}
