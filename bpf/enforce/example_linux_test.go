package enforce_test

import (
	"fmt"
	"log"
	"time"

	"github.com/tcpkeepalive/keepalive/bpf/enforce"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A database behind a load balancer that forgets after 350 s gets probes each minute;
// connections to this machine are left alone.
func Example() {
	p := enforce.Policy{Rules: []enforce.Rule{
		{Peer: "127.0.0.0/8", Mode: enforce.Leave},
		{Name: "database", Peer: ":5432", Config: sockopt.Config{Idle: time.Minute, Interval: 6 * time.Second, Count: 3}},
	}}
	dir, err := enforce.DefaultDir()
	if err == nil {
		err = enforce.Attach(dir, "/sys/fs/cgroup/system.slice/legacy.service", p)
	}
	if err != nil {
		log.Print(err) // no BPF file system is mounted ..., there is no control group ..., this process lacks CAP_BPF
		return
	}
	all, err := enforce.List(dir)
	if err != nil {
		log.Print(err)
		return
	}
	for _, s := range all {
		fmt.Println(s.Cgroup, s.State, s.Counters.Sockets, s.Problem)
	}
}
