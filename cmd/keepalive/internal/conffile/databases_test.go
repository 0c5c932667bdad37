package conffile_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestLibpq(t *testing.T) {
	t.Parallel()
	check(t, "libpq", []row{
		{"conninfo", `host=db.example.com keepalives=1 keepalives_idle=60 keepalives_interval=10 keepalives_count=3 tcp_user_timeout=90000`, `1 the connection to db.example.com: idle=60s,interval=10s,count=3,user-timeout=90s`},
		{"a URI", `postgresql://u:p%3Aw@db:5432,db2:5432/x?keepalives_idle=60&tcp_user_timeout=0`, `1 the connection to db:5432,db2:5432: idle=60s,user-timeout=off`},
		{"URIs of an environment file", "# c\nPORT=80\nexport DATABASE_URL=\"postgres://a/x?keepalives_idle=60\"\nOTHER='postgres://b/?keepalives=0'", "3 the connection to a: idle=60s\n4 the connection to b: off"},
		{"services", "[one]\nhost=a\nkeepalives_idle=60\n[two]\nhost=b\n[three]\ntcp_user_timeout=15\n", "1 the connection to a: idle=60s\n6 connections of service three: user-timeout=15ms\n7 unit"},
		{"quotes and spaces", "host = db\n keepalives_idle = '60' password='a\\' tcp_user_timeout=3'\n keepalives_count=\\3", `1 the connection to db: idle=60s,count=3`},
		{"seconds for milliseconds", `host=db tcp_user_timeout=15`, "1 the connection to db: user-timeout=15ms\n1 unit"},
		{"milliseconds for seconds", `host=db keepalives_idle=30000 keepalives_interval=5000`, "1 the connection to db: idle=30000s,interval=5000s\n1 unit\n1 unit"},
		{"off with times", `host=db keepalives=0 keepalives_idle=60`, "1 the connection to db: off\n1 off"},
		{"off with times that are never set", `host=db keepalives=0 keepalives_idle=99999`, "1 the connection to db: off\n1 off"},
		{"0, which the kernel refuses", `host=db keepalives_idle=0 keepalives_count=-1`, "1 the connection to db: on\n1 refused\n1 refused"},
		{"a unit", `host=db keepalives_idle=60s keepalives=yes`, "1 the connection to db: on\n1 refused\n1 refused"},
		{"out of range", `host=db keepalives_idle=32768 keepalives_count=128`, "1 the connection to db: on\n1 refused\n1 refused"},
		{"mistyped", `host=db keepalive_idle=60 keepalives_idel=60`, "1 the connection to db: on\n1 unknown word\n1 unknown word"},
		{"a Unix socket", `host=/run/postgresql keepalives_idle=60`, "1 the connection to /run/postgresql: idle=60s\n1 ignored"},
		{"variables", `host=db keepalives_idle=$IDLE tcp_user_timeout={{.ut}}`, "1 the connection to db: on\n1 unread\n1 unread"},
		{"twice", `host=db keepalives_idle=60 keepalives_idle=70`, "1 the connection to db: idle=70s\n1 ignored"},
		{"a URI that is not alone", "A=postgres://a/x?keepalives_idle=60\nB=postgres://b/x # c\n# C=postgres://c/x\nD=postgres://d/x,postgres://e/x", "1 the connection to a: idle=60s\n4 unread"},
		{"a keyword again", "host=a host=b password=secret password=x keepalives_idle=60", "1 the connection to b: idle=60s\n1 ignored\n1 ignored"},
		{"a string on each line", "host=a keepalives_idle=60\nhost=b keepalives_idle=70", "1 the connection to a: idle=60s\n2 the connection to b: idle=70s"},
		{"the user timeout cuts the count", `host=db keepalives_idle=60 keepalives_interval=10 keepalives_count=5 tcp_user_timeout=80000`, "1 the connection to db: idle=60s,interval=10s,count=5,user-timeout=80s\n1 user timeout"},
		{"it ends at the first probe whatever is inherited", `host=db keepalives_idle=60 tcp_user_timeout=30000`, "1 the connection to db: idle=60s,user-timeout=30s\n1 user timeout"},
		{"nothing", `host=db user=x`, ``},
	})
	doc := one(t, "dsn", `host=db tcp_user_timeout=15`, "libpq")
	assert.Equal(t, "tcp_user_timeout=15: a number without a unit is in milliseconds here, so one lost packet can end the connection: if seconds were meant, write 15000", doc.All()[0].Text)
}

func TestServers(t *testing.T) {
	t.Parallel()
	check(t, "postgresql", []row{
		{"units of the parameters", "tcp_keepalives_idle = 60\ntcp_keepalives_interval = 10\ntcp_keepalives_count = 3\ntcp_user_timeout = 90000", `1 connections of clients: idle=60s,interval=10s,count=3,user-timeout=90s`},
		{"units in the values", "TCP_Keepalives_Idle '2 min' # c\ntcp_keepalives_interval = 10s\ntcp_user_timeout = '2.5min'", `1 connections of clients: idle=120s,interval=10s,user-timeout=150s`},
		{"0 is the system's", "tcp_keepalives_idle = 0\ntcp_user_timeout = 0", `1 connections of clients: on`},
		{"seconds for milliseconds", "tcp_user_timeout = 15", "1 connections of clients: user-timeout=15ms\n1 unit"},
		{"milliseconds for seconds", "tcp_keepalives_idle = 60000\ntcp_keepalives_interval = 10000ms", "1 connections of clients: interval=10s\n1 unit"},
		{"rounded to 0", "tcp_keepalives_idle = 100ms", "1 connections of clients: on\n1 refused"},
		{"what the server refuses", "tcp_keepalives_idle = -1\ntcp_keepalives_interval = 60sec\ntcp_keepalives_count = '3s'\ntcp_user_timeout = 3000000000", "1 connections of clients: on\n1 refused\n2 refused\n3 refused\n4 refused"},
		{"what the kernel refuses", "tcp_keepalives_idle = 40001\ntcp_keepalives_count = 200", "1 connections of clients: on\n1 refused\n2 refused"},
		{"mistyped", "tcp_keepalive_idle = 60", "1 unknown word"},
		{"replaced", "tcp_keepalives_idle = 60\ntcp_keepalives_idle = 70", "2 connections of clients: idle=70s\n1 ignored"},
		{"no TCP", "listen_addresses = ''\ntcp_keepalives_idle = 60", "2 connections of clients: idle=60s\n1 ignored"},
		{"a standby", "primary_conninfo = 'host=primary keepalives_idle=60 tcp_user_timeout=15 password=''x'''", "1 the connection to primary: idle=60s,user-timeout=15ms\n1 unit"},
		{"includes", "include_dir 'conf.d'\ninclude_if_exists '/etc/x.conf'\ntcp_keepalives_idle = 60", "3 connections of clients: idle=60s\n1 unread\n2 unread"},
		{"nothing", "shared_buffers = 1GB", ``},
	})
	check(t, "redis", []row{
		{"a third and 3", "tcp-keepalive 300", `1 connections of clients: idle=300s,interval=100s,count=3`},
		{"at least a second", `TCP-KeepAlive "2"`, `1 connections of clients: idle=2s,interval=1s,count=3`},
		{"off", "tcp-keepalive 0", `1 connections of clients: off`},
		{"milliseconds", "tcp-keepalive 300000", "1 connections of clients: on\n1 unit"},
		{"milliseconds that the kernel takes", "tcp-keepalive 30000", "1 connections of clients: idle=30000s,interval=10000s,count=3\n1 unit"},
		{"out of range", "tcp-keepalive 40001", "1 connections of clients: on\n1 refused"},
		{"what redis-server refuses", "tcp-keepalive 5m", "1 connections of clients: on\n1 refused"},
		{"a comment behind it", "tcp-keepalive 60 # s", "1 connections of clients: on\n1 refused"},
		{"mistyped", "tcp-keepaliv 60\ntcp_keepalive 3", "1 unknown word\n2 unknown word"},
		{"the last counts", "tcp-keepalive 60\ntcp-keepalive 70", "2 connections of clients: idle=70s,interval=23s,count=3\n1 ignored"},
		{"no TCP", "port 0\ntcp-keepalive 60", "2 connections of clients: idle=60s,interval=20s,count=3\n1 ignored"},
		{"an include", "include /etc/a.conf\ntcp-keepalive 60", "2 connections of clients: idle=60s,interval=20s,count=3\n1 unread"},
		{"nothing", "port 6379\nmaxmemory 1gb", ``},
	})
	check(t, "systemd", []row{
		{"all", "[Unit]\nDescription=x\n[Socket]\nListenStream=80\nKeepAlive=yes\nKeepAliveTimeSec=1min 30\nKeepAliveIntervalSec=10s\nKeepAliveProbes=3", `5 connections that the socket unit accepts: idle=90s,interval=10s,count=3`},
		{"times without the switch", "[Socket]\nKeepAliveTimeSec=60", "2 connections that the socket unit accepts: off,idle=60s\n2 off"},
		{"switched off", "[Socket]\nKeepAliveTimeSec=60\nKeepAlive=no", "2 connections that the socket unit accepts: off,idle=60s\n2 off"},
		{"milliseconds", "[Socket]\nKeepAlive=1\nKeepAliveTimeSec=60000", "2 connections that the socket unit accepts: on\n3 unit"},
		{"cut off to 0", "[Socket]\nKeepAlive=on\nKeepAliveTimeSec=500ms\nKeepAliveIntervalSec=1.9", "2 connections that the socket unit accepts: interval=1s\n3 refused"},
		{"0 and infinity are the system's", "[Socket]\nKeepAlive=t\nKeepAliveTimeSec=0\nKeepAliveIntervalSec=infinity", `2 connections that the socket unit accepts: on`},
		{"what systemd ignores", "[Socket]\nKeepAlive=maybe\nKeepAliveTimeSec=-1\nKeepAliveIntervalSec=\nKeepAliveProbes=3s", "2 connections that the socket unit accepts: off\n2 refused\n3 refused\n4 refused\n5 refused"},
		{"mistyped", "[Socket]\nKeepAlive=yes\nKeepAliveTime=60\nkeepalivetimesec=5", "2 connections that the socket unit accepts: on\n3 unknown word\n4 unknown word"},
		{"another section", "[Service]\nKeepAlive=yes", "2 connections that the socket unit accepts: off\n2 ignored"},
		{"not TCP", "[Socket]\nListenDatagram=53\nListenStream=/run/x\nKeepAlive=yes", "4 connections that the socket unit accepts: on\n3 ignored"},
		{"continued lines", "[Socket]\nKeepAlive=\\\n# c\n yes\nKeepAliveProbes=3", `2 connections that the socket unit accepts: count=3`},
		{"nothing", "[Socket]\nListenStream=80", ``},
	})
}
