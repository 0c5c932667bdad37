package conffile_test

import (
	"fmt"
	"testing"
)

func TestSysctls(t *testing.T) {
	t.Parallel()
	check(t, "sysctl", []row{
		{"all", "# c\nnet.ipv4.tcp_keepalive_time = 60\n-net/ipv4/tcp_keepalive_intvl=10\n; c\nnet.ipv4.tcp_keepalive_probes=0x3\nvm.swappiness=1", `2 sockets whose program leaves the times to the system: idle=60s,interval=10s,count=3`},
		{"more than setsockopt takes", "net.ipv4.tcp_keepalive_time = 86400", `1 sockets whose program leaves the times to the system: idle=86400s`},
		{"milliseconds", "net.ipv4.tcp_keepalive_time = 7200000\nnet.ipv4.tcp_keepalive_intvl = 75000", "1 sockets whose program leaves the times to the system: interval=75000s\n1 unit\n2 unit"},
		{"what the kernel refuses", "net.ipv4.tcp_keepalive_time = 60s\nnet.ipv4.tcp_keepalive_probes = 256\nnet.ipv4.tcp_keepalive_intvl = 2147484", "1 refused\n2 refused\n3 refused"},
		{"what it should refuse", "net.ipv4.tcp_keepalive_time = 0\nnet.ipv4.tcp_keepalive_intvl=-1", "1 refused\n2 refused"},
		{"no such sysctl", "net.ipv4.tcp_keepalive_interval = 10\nnet.ipv6.tcp_keepalive_time = 60", "1 unknown word\n2 unknown word"},
		{"variables", "net.ipv4.tcp_keepalive_time = {{ idle }}\nnet.ipv4.tcp_keepalive_intvl=$X", "1 sockets whose program leaves the times to the system: on\n1 unread\n2 unread"},
		{"replaced", "net.ipv4.tcp_keepalive_time = 60\nnet.ipv4.tcp_keepalive_time = 70", "1 sockets whose program leaves the times to the system: idle=70s\n1 ignored"},
		{"nothing", "vm.swappiness = 1", ``},
	})
	const pod = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  template:
    spec:%s
      securityContext:
        sysctls:
        - {name: net.ipv4.tcp_keepalive_time, value: %s}
        - name: net.core.somaxconn
          value: "1024"
      containers: [{name: a, image: b}]`
	check(t, "kubernetes", []row{
		{"a template", fmt.Sprintf(pod, "", `"60"`), `9 sockets in deployment api: idle=60s`},
		{"a number", fmt.Sprintf(pod, "", `60`), "9 sockets in deployment api: idle=60s\n9 refused"},
		{"milliseconds", fmt.Sprintf(pod, "", `"60000"`), "9 sockets in deployment api: idle=60000s\n9 unit"},
		{"the node's network", fmt.Sprintf(pod, "\n      hostNetwork: true", `"60"`), "10 sockets in deployment api: idle=60s\n10 refused"},
		{"of a container", "kind: Pod\napiVersion: v1\nspec:\n  containers:\n  - image: b\n    securityContext:\n      sysctls: [{name: net.ipv4.tcp_keepalive_time, value: \"60\"}]", "7 ignored"},
		{"several objects", "kind: Pod\napiVersion: v1\nmetadata: {name: a}\nspec: &s {securityContext: {sysctls: [{name: net.ipv4.tcp_keepalive_time, value: \"60\"}]}}\n---\nkind: List\napiVersion: v1\nitems:\n- {kind: Pod, metadata: {name: b}, spec: {securityContext: {sysctls: [{name: net.ipv4.tcp_keepalive_intvl, value: \"5\"}]}}}", "4 sockets in pod a: idle=60s\n9 sockets in pod b: interval=5s"},
		{"JSON", "{\"kind\": \"Pod\", \"apiVersion\": \"v1\", \"metadata\": {\"name\": \"a\"},\n\t\"spec\": {\"securityContext\": {\"sysctls\": [\n\t{\"name\": \"net.ipv4.tcp_keepalive_time\", \"value\": \"60000\"}]}}}", "2 sockets in pod a: idle=60000s\n3 unit"},
		{"settings in a place that is not understood", "kind: Pod\napiVersion: v1\nspec:\n  initContainers:\n  - command: [sh, -c, \"sysctl -w net.ipv4.tcp_keepalive_time=60\"]\n---\nkind: ConfigMap\napiVersion: v1\ndata:\n  nginx.conf: |\n    server { listen 80 so_keepalive=on; }", "5 unread\n10 unread"},
		{"nothing", "kind: Pod\napiVersion: v1\nspec: {containers: [{image: b}]}", ``},
		{"Istio", "kind: DestinationRule\napiVersion: networking.istio.io/v1\nmetadata: {name: d}\nspec:\n  trafficPolicy:\n    connectionPool:\n      tcp:\n        tcpKeepalive: {time: 60s, interval: 10s, probes: 3}", `8 connections of destinationrule d: idle=60s,interval=10s,count=3`},
		{"Istio without a unit", "kind: DestinationRule\napiVersion: networking.istio.io/v1\nmetadata: {name: d}\nspec: {trafficPolicy: {connectionPool: {tcp: {tcpKeepalive: {time: 60}}}}}", "4 connections of destinationrule d: on\n4 refused"},
		{"EnvoyFilter", "kind: EnvoyFilter\napiVersion: networking.istio.io/v1alpha3\nspec:\n  configPatches:\n  - applyTo: LISTENER\n    patch:\n      operation: MERGE\n      value:\n        socket_options:\n        - {level: 1, name: 9, int_value: 1}\n        - {level: 6, name: 4, int_value: 60}", `9 connections of clients of listener: idle=60s`},
	})
	check(t, "compose", []row{
		{"a mapping", "services:\n  a:\n    sysctls:\n      net.ipv4.tcp_keepalive_time: 60\n  b: {image: x}", `4 sockets in service a: idle=60s`},
		{"a list", "services:\n  a:\n    sysctls:\n    - net.ipv4.tcp_keepalive_time=60\n    - net.ipv4.tcp_keepalive_probes=3", `4 sockets in service a: idle=60s,count=3`},
		{"variables", "services:\n  a:\n    sysctls:\n    - net.ipv4.tcp_keepalive_time=${KA:-60}", "4 sockets in service a: on\n4 unread"},
		{"an anchor", "x-s: &s\n  sysctls: {net.ipv4.tcp_keepalive_time: 60}\nservices:\n  a:\n    <<: *s\n    image: x", `2 sockets in service a: idle=60s`},
		{"the host's network", "services:\n  a:\n    network_mode: host\n    sysctls: [net.ipv4.tcp_keepalive_time=60]", "4 sockets in service a: idle=60s\n4 refused"},
		{"another file", "include: [b.yaml]\nservices:\n  a:\n    extends: {service: b}\n    sysctls: [net.ipv4.tcp_keepalive_time=60]", "5 sockets in service a: idle=60s\n1 unread\n4 unread"},
		{"settings in a place that is not understood", "services:\n  db:\n    command: redis-server --tcp-keepalive 60", `3 unread`},
		{"nothing", "services: {a: {image: x}}", ``},
	})
	check(t, "docker", []row{
		{"both forms", "docker run -d --rm --name x --sysctl net.ipv4.tcp_keepalive_time=60 \\\n  --sysctl=net.ipv4.tcp_keepalive_probes=3 -p 80:80 nginx -g 'daemon off;'", `1 sockets in a container of nginx: idle=60s,count=3`},
		{"behind the image", "$ docker run -it --sysctl net.ipv4.tcp_keepalive_time=60 nginx --sysctl net.ipv4.tcp_keepalive_intvl=3", "1 sockets in a container of nginx: idle=60s\n1 ignored"},
		{"the host's network", "set -e\nsudo podman run --net host --sysctl \"net.ipv4.tcp_keepalive_time=60\" x; true", "2 sockets in a container of x: idle=60s\n2 refused"},
		{"milliseconds", "docker create --sysctl net.ipv4.tcp_keepalive_time=60000 x", "1 sockets in a container of x: idle=60000s\n1 unit"},
		{"nothing", "docker run nginx", ``},
	})
}

func TestSSH(t *testing.T) {
	t.Parallel()
	check(t, "ssh", []row{
		{"a heartbeat", "Host *\n ServerAliveInterval 1m30s\n ServerAliveCountMax=3", `2 all connections: on heartbeat 1m30s`},
		{"keepalive alone", "TCPKeepAlive yes", `1 all connections: on`},
		{"off", "TCPKeepAlive no", `1 all connections: off`},
		{"one host", "Host db\n ServerAliveInterval 30\nHost *\n TCPKeepAlive no", "4 all connections: off\n2 connections of Host db: off heartbeat 30s"},
		{"the first counts", "Host *\n ServerAliveInterval 60\nHost db\n ServerAliveInterval 10", "2 all connections: on heartbeat 1m0s\n2 connections of Host db: on heartbeat 1m0s\n4 ignored"},
		{"twice", "ServerAliveInterval 60\nServerAliveInterval 10", "1 all connections: on heartbeat 1m0s\n2 ignored"},
		{"milliseconds", "ServerAliveInterval 60000", "1 all connections: on heartbeat 16h40m0s\n1 unit"},
		{"0 unanswered ones end it", "ServerAliveInterval 60\nServerAliveCountMax 0", "1 all connections: on\n2 ends it"},
		{"a count alone", "ServerAliveCountMax 3", "1 all connections: on\n1 ignored"},
		{"the server's", "TCPKeepAlive yes\nClientAliveInterval 60", "1 all connections: on\n2 unknown word"},
		{"mistyped", "TCPKeepAlive yes\nServerAliveIntervall 60\nTCPKeepAlives no", "1 all connections: on\n2 unknown word\n3 unknown word"},
		{"refused", "ServerAliveInterval 1.5\nTCPKeepAlive maybe\nServerAliveCountMax x", "1 all connections: on\n1 refused\n2 refused\n3 refused"},
		{"nothing", "Host a\n User b", ``},
	})
	check(t, "sshd", []row{
		{"a heartbeat", "ClientAliveInterval 60\nClientAliveCountMax 0\nTCPKeepAlive no", `1 all connections: off heartbeat 1m0s`},
		{"what ends connections otherwise", "ClientAliveInterval 60\nUnusedConnectionTimeout 5m\nChannelTimeout session:*=1m\nMatch User a\n ChannelTimeout none", "1 all connections: on heartbeat 1m0s\n2 unread\n3 unread"},
		{"a block comes before all others", "ClientAliveInterval 60\nMatch User a\n ClientAliveInterval 10\n TCPKeepAlive no", "1 all connections: on heartbeat 1m0s\n3 connections of Match User a: on heartbeat 10s\n4 refused"},
		{"a block for all comes before what is outside", "ClientAliveInterval 60\nMatch all\n ClientAliveInterval 10", "3 all connections: on heartbeat 10s"},
		{"the client's", "TCPKeepAlive yes\nServerAliveInterval 60", "1 all connections: on\n2 unknown word"},
		{"an include", "Include /etc/ssh/sshd_config.d/*.conf\nTCPKeepAlive yes", "2 all connections: on\n1 unread"},
	})
}
