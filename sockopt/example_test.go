package sockopt_test

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"time"

	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func ExampleParse() {
	for _, text := range []string{"idle=60s,interval=10s,count=3,user-timeout=90s", "30m::10", "off", "idle=0,count=x"} {
		cfg, err := sockopt.Parse(text)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(cfg)
	}
	// Output:
	// idle=60s,interval=10s,count=3,user-timeout=90s
	// idle=1800s,count=10
	// off
	// sockopt: keepalive "idle=0,count=x": idle=0 is zero: leave it out to keep what is there; count=x is not a whole number
}

// A *Config is a flag of package flag.
func ExampleConfig_UnmarshalText() {
	var cfg sockopt.Config
	fs := flag.NewFlagSet("server", flag.ContinueOnError)
	fs.TextVar(&cfg, "keepalive", sockopt.Recommended(), "TCP keepalive, e.g. idle=60s,interval=10s,count=3")
	if err := fs.Parse([]string{"-keepalive", "7200:75:9"}); err != nil {
		fmt.Println(err)
	}
	fmt.Println(cfg)
	// Output: idle=7200s,interval=75s,count=9
}

// A Linux build machine checks a Config for the target systems.
func ExampleConfig_ValidateFor() {
	cfg := sockopt.Config{Idle: 10 * time.Hour, Interval: 2 * time.Minute, Count: 200}
	for _, name := range []string{"linux", "illumos", "openbsd"} {
		t, _ := platform.Lookup(name)
		err := cfg.ValidateFor(t)
		var faults platform.Faults
		errors.As(err, &faults)
		for _, f := range faults {
			fmt.Println(f)
		}
		fmt.Println(name, "lacks something:", errors.Is(err, errors.ErrUnsupported))
	}
	// Output:
	// idle=36000s is too large: TCP_KEEPIDLE on linux takes 1s to 32767s
	// count=200 is too large: TCP_KEEPCNT on linux takes 1 to 127
	// linux lacks something: false
	// interval=120s is too large: TCP_KEEPINTVL on illumos takes 1s to 60s
	// illumos lacks something: false
	// idle=36000s is not supported on openbsd: OpenBSD has it for the whole system only: sysctl net.inet.tcp.keepidle
	// interval=120s is not supported on openbsd: OpenBSD has it for the whole system only: sysctl net.inet.tcp.keepintvl
	// count=200 is not supported on openbsd: OpenBSD always sends 8 probes
	// openbsd lacks something: true
}

func ExampleConfig_NearestFor() {
	t, _ := platform.Lookup("netbsd")
	cfg := sockopt.Config{Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3, UserTimeout: time.Minute}
	nearest, changes, err := cfg.NearestFor(t)
	fmt.Println(nearest, err)
	for _, change := range changes {
		fmt.Println(change)
	}
	// Output:
	// idle=30s,interval=10s,count=3 <nil>
	// user-timeout=60s -> unset: user-timeout=60s is not supported on netbsd: NetBSD has no limit on unacknowledged data per socket
}

func ExampleConfig_WarningsFor() {
	t, _ := platform.Lookup("linux")
	cfg := sockopt.Config{Idle: 15 * time.Second, Interval: 15 * time.Second, Count: 9, UserTimeout: 20 * time.Second}
	for _, w := range cfg.WarningsFor(t, platform.Settings{}) {
		fmt.Println(w)
	}
	// Output:
	// user-timeout: 20s is not longer than idle + interval (30s): one lost probe ends the connection, whatever the count
}

func ExampleFromNet() {
	fmt.Println(sockopt.FromNet(net.KeepAliveConfig{Enable: true, Idle: time.Minute, Count: -1}))
	fmt.Println(sockopt.FromNet(net.KeepAliveConfig{Enable: true, Idle: -1, Interval: -1, Count: -1}))
	// Output:
	// idle=60s,interval=15s
	// on
}

func ExampleConfig_ToNet() {
	cfg := sockopt.Config{Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3, UserTimeout: time.Minute}
	k, err := cfg.ToNet()
	fmt.Printf("%+v\n%v\n", k, err)
	// Output:
	// {Enable:true Idle:30s Interval:10s Count:3}
	// sockopt: net.KeepAliveConfig has no user timeout: unsupported operation
}

func ExampleOf() {
	held := platform.Settings{
		Known:   1<<platform.KeepAlive | 1<<platform.Idle | 1<<platform.UserTimeout,
		Enabled: true, Idle: time.Minute,
	}
	fmt.Println(held)
	fmt.Println(sockopt.FromSettings(held))
	// Output:
	// on idle=60s interval=unknown count=unknown user-timeout=off
	// idle=60s,user-timeout=off
}

// A recommended Config is valid on the system that uses it.
func ExampleRecommendedFor() {
	for _, name := range []string{"linux", "netbsd", "openbsd"} {
		t, _ := platform.Lookup(name)
		cfg, changes, err := sockopt.RecommendedFor(t)
		fmt.Println(name, cfg, len(changes), err)
	}
	// Output:
	// linux idle=30s,interval=10s,count=3,user-timeout=60s 0 <nil>
	// netbsd idle=30s,interval=10s,count=3 1 <nil>
	// openbsd on 4 <nil>
}
