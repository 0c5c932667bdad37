package conffile_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/conffile"
)

const passwd = "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"

// A text that is not in the format has nothing wrong in it, and is no pass.
func TestForeignFiles(t *testing.T) {
	t.Parallel()
	texts := map[string]string{
		"libpq":      "host=db.example.com dbname=x keepalives_idle=60",
		"nginx":      "user www-data;\nworker_processes auto;\nhttp {\n}\n",
		"passwd":     passwd,
		"sysctl":     "net.ipv4.tcp_keepalive_time = 60\n",
		"redis":      "tcp-keepalive 60\nmaxmemory 1gb\n",
		"systemd":    "[Socket]\nKeepAlive=yes\n",
		"ssh":        "Host a\n  ServerAliveInterval 60\n",
		"sshd":       "PermitRootLogin no\nClientAliveInterval 60\n",
		"haproxy":    "defaults\n  mode tcp\n",
		"postgresql": "shared_buffers = 1GB\n",
		"words":      "hello world\n",
	}
	// Words of both formats. None of these is a pass: what is not said is inherited, or unread.
	commonWords := map[string]string{
		"libpq ssh": "",
		"ssh sshd":  "1 unread\n2 unknown word",
		"sshd ssh":  "1 unread\n2 unknown word",
	}
	for _, format := range []string{"redis", "ssh", "sshd", "sysctl", "postgresql", "systemd", "haproxy", "nginx", "libpq"} {
		for name, text := range texts {
			if name == format {
				require.NoError(t, one(t, "f", text, format).Err, name)
				continue
			}
			doc := one(t, "f", text, format)
			if want, common := commonWords[name+" "+format]; common {
				require.NoError(t, doc.Err)
				assert.Equal(t, want, said(doc), "%s read as %s", name, format)
				continue
			}
			if !assert.Error(t, doc.Err, "%s read as %s", name, format) {
				continue
			}
			assert.Contains(t, doc.Err.Error(), ": not "+format, "%s read as %s", name, format)
			if name != "passwd" && name != "words" {
				assert.Contains(t, doc.Err.Error(), fmt.Sprintf("it looks like %s: --format %s", name, name), "%s read as %s", name, format)
			}
		}
	}
	secret := one(t, "f", "postgres://user:secret@db/x", "redis")
	assert.ErrorContains(t, secret.Err, "it looks like libpq")
	assert.NotContains(t, secret.Err.Error(), "secret")
}

func TestEmptyFiles(t *testing.T) {
	t.Parallel()
	for _, format := range append(conffile.Names(), "") {
		for _, text := range []string{"", "\n \t\r\n", "# a comment\n\n  # another"} {
			doc := one(t, "f", text, format)
			require.ErrorIs(t, doc.Err, conffile.ErrEmpty, "%s: %q", format, text)
			want := "f is empty"
			if strings.Contains(text, "#") {
				want = "f has nothing but comments"
			}
			assert.EqualError(t, doc.Err, want)
		}
	}
	assert.ErrorIs(t, one(t, "sysctl.conf", "; a comment", "").Err, conffile.ErrEmpty)
}

func TestNoText(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"redis", ""} {
		assert.EqualError(t, one(t, "f", "\x7fELF\x02\x01\x01\x00", format).Err, "f is binary, and no configuration")
		assert.EqualError(t, one(t, "f", "\xff\xfet\x00c\x00", format).Err, "f is UTF-16: convert it to UTF-8")
	}
}

// A word that nobody knows is a mistake if it is nearly one of keepalive, or if the list is
// closed. Of others it is only said that they were not looked at.
func TestUnknownWords(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ format, text, want, says string }{
		{"libpq", "host=db keepalives_idle=60 tcp_user_timout=90000", "1 unknown word", "tcp_user_timout: libpq has no such parameter and does not connect; did you mean tcp_user_timeout?"},
		{"libpq", "host=db sslmod=disable", "1 unknown word", "did you mean sslmode?"},
		{"libpq", "host=db authtype=x", "1 unknown word", "authtype"},
		{"libpq", "host=db sslnegotiation=direct oauth_scope=x scram_client_key=y min_protocol_version=3.2", "", ""},
		{"libpq", "postgres://db/x?keepalive_idle=60", "1 unknown word", "did you mean keepalives_idle"},
		{"libpq", "postgres://db/x?pool_max_conns=4", "1 unread", "pool_max_conns: libpq has no such parameter and does not connect: if another driver reads this URI"},
		{"libpq", "postgres://db/x?ssl=true&sslmode=require", "", ""},
		{"libpq", "[a]\nhost=db\nhots=x", "3 unknown word", "did you mean host"},
		{"redis", "port 1\nmaxmemroy 1gb\ntcp-keepalive 60\nbogus x", "2 unread", `2 words that are not known to this reader, the first is "maxmemroy": have redis-server check the file`},
		{"redis", "port 1\nfoo.bar 1", "2 unread", `a word that is not known to this reader, "foo.bar"`},
		{"redis", "port 1\nloadmodule x.so\nfoo.bar 1", "", ""},
		{"redis", "slaveof no one\nhash-max-ziplist-entries 1\nrename-command a b\nsentinel x", "", ""},
		{"ssh", "Hots *\nServerAliveInterval 60", "1 unread", `"Hots"`},
		{"ssh", "TCPKeepAliv no\nHost *", "1 unknown word", "did you mean TCPKeepAlive?"},
		{"ssh", "IgnoreUnknown UseKey*,Foo\nUseKeyring yes\nfoo 1\nUser x", "", ""},
		{"ssh", "Host a\n IgnoreUnknown Foo\n Foo 1\nUser x", "3 unread", ""},
		{"ssh", "UseKeychain yes\nProxyJump a\nObscureKeystrokeTiming no", "", ""},
		{"sshd", "ClientAlivInterval 60\nPort 22", "1 unknown word", "did you mean ClientAliveInterval"},
		{"sshd", "IgnoreUnknown Foo\nPort 22", "1 unread", ""},
		{"postgresql", "port = 1\nshared_bufers = 1GB\nfoo.bar = 1", "2 unread", `"shared_bufers"`},
		{"postgresql", "application_name = x\nfile_extend_method = write_zeros\nmax_parallel_apply_workers_per_subscription = 2", "", ""},
		{"sshd", "PAMServiceName sshd\nGSSAPIDelegateCredentials no", "", ""},
		{"redis", "primaryauth x\nclient-default-resp 3\nlog-format logfmt\nset-max-listpack-value 64\nbio-cpulist 1", "", ""},
		{"redis", "port 1\nprefetch-batch-size 1", "2 unread", "prefetch-batch-size"}, // prefetch-batch-max-size
		{"ssh", "Host *\nProtocolKeepAlives 60", "2 unread", "only the ssh of Debian has it, as another name of ServerAliveInterval"},
		{"kubernetes", "apiVersion: v1\nkind: Pod\nspec:\n  securityContext:\n    sysctls:\n    - name: net.ipv4.tcp_keepalive_time\n      vaule: \"60\"", "7 unknown word", "did you mean value"},
		{"kubernetes", "apiVersion: v1\nkind: Pod\nspec:\n  securityContext:\n    sysctl:\n    - {name: net.ipv4.tcp_keepalive_time, value: \"60\"}", "6 unknown word\n6 unread", "did you mean sysctls"},
		{"kubernetes", "apiVersion: a/v1\nkind: Node\nspec:\n  sysctl:\n    vm.swappiness: 1", "", ""}, // of somebody's own kind
		{"compose", "services:\n  a:\n    image: b\n    sysctl:\n      net.ipv4.tcp_keepalive_time: 60", "5 unknown word", "did you mean sysctls"},
		{"compose", "services:\n  a:\n    image: b\nsysctls:\n  net.ipv4.tcp_keepalive_time: 60", "5 ignored", "belong into a service"},
		{"docker", "docker run --sysctls net.ipv4.tcp_keepalive_time=60 a", "1 unknown word", "did you mean --sysctl"},
		{"postgresql", "tcp_keepalivs_idle = 60", "1 unknown word", "did you mean tcp_keepalives_idle"},
		{"postgresql", "primary_conninfo = 'host=a keepalive_idle=60 hots=b'", "1 unknown word\n1 unknown word", ""},
		{"sysctl", "net.ipv4.tcp_keepaliv_time = 60\nnet.ipv4.tcp_keepalive_intvl = 10", "1 unknown word", "did you mean net.ipv4.tcp_keepalive_time"},
		{"sysctl", "net.ipv4.tcp_fin_timeout = 60\nnet.ipv4.tcp_probe_interval = 60\nkernel.panic = 1", "", ""},
		{"sysctl", "vm.swappiness = 1\nfoo = 2", "2 unread", `"foo"`},
		{"systemd", "[Socket]\nListenStream=80\nKepAlive=yes\nAccept=yes", "3 unknown word", "did you mean KeepAlive"},
		{"systemd", "[Soket]\nKeepAlive=yes\n[Unit]\nAfter=x", "1 unread\n2 ignored", `"Soket"`},
		{"haproxy", "listen a\n bind :80\n server b 10.0.0.1:80\n clitcpk-idle 10s", "4 unknown word", "did you mean clitcpka-idle"},
		{"haproxy", "defaults\n option tcplog\n option httplog\n option redispatch\n option http-keep-alive\nlisten a\n bind :80\n server b 10.0.0.1:80", "", ""},
		{"nginx", "server { listen 80 so_keepaliv=on; }", "1 unknown word", "listen has no such parameter"},
		{"nginx", "server { listen 80; location / { proxy_socket_keepaliv on; proxy_pass http://b; } }", "1 unknown word", "did you mean proxy_socket_keepalive"},
		{"nginx", "upstream a { server b; keepalive 4; keepalive_requests 10; keepalive_time 1h; keepalive_timeout 60s; }", "", ""},
	} {
		doc := one(t, "f", tt.text, tt.format)
		require.NoError(t, doc.Err, tt.text)
		var kinds []string
		text := ""
		for _, r := range doc.All() {
			if r.Kind == conffile.UnknownWord || r.Kind == conffile.Unread || r.Kind == conffile.Ignored {
				kinds = append(kinds, fmt.Sprintf("%d %s", r.Line, r.Kind))
				text += r.Text + "\n"
			}
		}
		assert.Equal(t, tt.want, strings.Join(kinds, "\n"), tt.text)
		assert.Contains(t, text, tt.says, tt.text)
	}
	for _, item := range []string{"name: net.ipv4.tcp_keepalive_time", `value: "60"`} {
		doc := one(t, "f", "apiVersion: v1\nkind: Pod\nspec:\n  securityContext:\n    sysctls:\n    - "+item, "kubernetes")
		assert.True(t, has(doc, 6, conffile.Refused), "%s: %+v", item, doc.All())
	}
	for _, text := range []string{"tcp_keepalives_idle", "port = 1\nmax_connections", "port ="} { // of which a part is no value
		assert.ErrorContains(t, one(t, "f", text, "postgresql").Err, "not postgresql: want name = value")
	}
}
