package align_test

import (
	"fmt"
	"log"
	"time"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func Example() {
	path, err := align.Path("aws-nlb-tcp", "aws-nat-gateway")
	if err != nil {
		log.Fatal(err)
	}
	plan, err := align.Request{Path: path}.Plan()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(plan.Config)
	fmt.Println(plan.Verdict, "-", plan.Reason)
	fmt.Println("dead peer noticed within", plan.Detection.Idle.Latest)
	// Output:
	// idle=60s,interval=6s,count=3,user-timeout=79s
	// survives - refreshed after 78.5s at the latest, with 2 probes lost; aws-nlb-tcp forgets it after 350s
	// dead peer noticed within 1m25.64s
}

// A plan prints as a line.
func ExamplePlan() {
	path, _ := align.Path("aws-nlb-tcp")
	plan, err := align.Request{Path: path}.Plan()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(plan)
	fmt.Println(plan.Assessment)
	// Output:
	// idle=60s,interval=6s,count=3,user-timeout=79s survives: refreshed after 78.5s at the latest, with 2 probes lost; aws-nlb-tcp forgets it after 350s
	// survives: refreshed after 78.5s at the latest, with 2 probes lost; aws-nlb-tcp forgets it after 350s
}

// A proxy that probes do not refresh.
func ExampleRequest_Plan_heartbeat() {
	path, _ := align.Path("aws-alb")
	plan, err := align.Request{Path: path}.Plan()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(plan.Verdict, "-", plan.Reason)
	fmt.Println(plan.Heartbeat.Kinds[0].Name, "every", plan.Heartbeat.Every)
	fmt.Println("or IdleConnTimeout", plan.Heartbeat.IdleConnTimeout)
	// Output:
	// needs a heartbeat - aws-alb does not count TCP keepalive probes: only data keeps the connection
	// HTTP request every 58s
	// or IdleConnTimeout 58s
}

// A dead peer must be noticed within 10 s, idle or not.
func ExampleRequest_Plan_detect() {
	plan, err := align.Request{Detect: 10 * time.Second, RTT: time.Millisecond}.Plan()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(plan.Config)
	for _, b := range []align.Bound{plan.Detection.Idle, plan.Detection.InFlight} {
		fmt.Println(b.Phase, "at most", b.Latest.Truncate(time.Millisecond), "after", b.Since)
	}
	// Output:
	// idle=6s,interval=1s,count=3,user-timeout=8.9s
	// idle at most 9.88s after the last segment received
	// in flight at most 9.958s after the write
}

// A Config that there is already.
func ExampleRequest_AssessConfig() {
	nlb, _ := new(align.Catalog).Lookup("aws-nlb-tcp")
	nlb, err := nlb.WithTimeout(60 * time.Second) // as ours is set
	if err != nil {
		log.Fatal(err)
	}
	cfg := sockopt.Config{Idle: 58 * time.Second, Interval: 5 * time.Second, Count: 9, UserTimeout: sockopt.NoUserTimeout}
	a, err := align.Request{Path: []align.Profile{nlb}}.AssessConfig(cfg, platform.Settings{}) // it leaves no default
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(a.Verdict, "-", a.Reason)
	// Output:
	// loses - the first probe comes up to 63.3s after the last segment, aws-nlb-tcp forgets it after 60s
}

// What is not in the table.
func ExampleCatalog() {
	var c align.Catalog
	err := c.Add(align.Profile{ID: "office-firewall", Timeout: 15 * time.Minute, Refreshed: platform.Yes})
	if err != nil {
		log.Fatal(err)
	}
	_, err = c.Path("office-firewal", "aws-nlb-tcp")
	fmt.Println(err)
	// Output:
	// align: no profile "office-firewal": did you mean office-firewall?
}

// What people and vendors call it.
func ExampleCatalog_Search() {
	for _, p := range new(align.Catalog).Search("postgres")[:2] {
		fmt.Println(p.ID, "-", p.Product)
	}
	fmt.Println(new(align.Catalog).Search("gke")[0].ID)
	// Output:
	// postgresql - idle_session_timeout
	// pgbouncer - client_idle_timeout
	// gcp-vpc-conntrack
}

// A timeout that cannot be set.
func ExampleProfile_WithTimeout() {
	nlb, _ := new(align.Catalog).Lookup("aws-nlb-tls")
	_, err := nlb.WithTimeout(10 * time.Minute)
	fmt.Println(err)
	// Output:
	// align: timeout of aws-nlb-tls=600s: the idle timeout of aws-nlb-tls is fixed at 350s (https://docs.aws.amazon.com/elasticloadbalancing/latest/network/update-idle-timeout.html)
}

// A server behind a balancer: probes keep the balancer, and the pool retires connections
// before the server closes them.
func ExampleHeartbeat() {
	path, _ := align.Path("aws-nlb-tcp", "mysql")
	plan, err := align.Request{Path: path}.Plan()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(plan.Config)
	fmt.Println("SetConnMaxIdleTime", plan.Heartbeat.IdleConnTimeout)
	// Output:
	// idle=60s,interval=6s,count=3,user-timeout=79s
	// SetConnMaxIdleTime 7h59m58s
}
