// Package align finds keepalive settings with which a connection survives its path, and
// says when there are none.
//
// Load balancers, NATs and firewalls forget a connection that was silent for too
// long. AWS' Network Load Balancer does so after 350 s. A keepalive probe starts that
// time again, if it comes in time, if it is not lost, and if the middlebox counts
// probes at all.
//
//	path, err := align.Path("aws-nlb-tcp", "aws-nat-gateway")
//	plan, err := align.Request{Path: path}.Plan()
//	if plan.Verdict == align.Survives {
//		d, err := dialer.New(plan.Config)
//	}
//
// # What a plan accounts for
//
//   - Probes get lost. By default a plan allows for two in a row: the third one still
//     comes in time.
//   - Kernel timers are late, never early. Linux keeps them in slots, which for
//     350 s are 16 s wide (CONFIG_HZ=250) or 33 s (CONFIG_HZ=1000), so an idle time of
//     340 s is not safe. A plan holds for the worst of the common values, unless
//     [Request].HZ names one.
//   - After a probe the next one leaves at least one interval later.
//   - The user timeout replaces the count on Linux. A plan makes it long enough for
//     every probe to leave.
//
// The idle time of a plan is at most 60 s, so that a dead peer is noticed in about 80 s,
// and 5 % of the timeout are left in reserve. [Request].Longest asks for the longest idle
// time instead.
//
// # What probes cannot do
//
// Proxies (ALB, Classic ELB, Global Accelerator, Envoy, HAProxy) end the TCP
// connection, and only data restarts their timeouts; so it is with servers that close idle
// connections (MySQL, Kafka, Node.js). An HTTP/2 PING, which gRPC's keepalive is too, is
// data only for a proxy that handles the connection as bytes. Proxies split the path into
// legs, and a plan is for one of them: see [Request.Legs]. A plan for such a path has the
// verdict [NeedsHeartbeat] and a [Heartbeat], which says what the application has to send,
// how often, and when a pool has to drop a connection.
//
// # What a plan rests on
//
// A [Profile] names the source of its figures, and how sure each one is: see
// [Evidence]. A [Plan] lists its assumptions, and while there are some, its verdict is at
// best [SurvivesIf]. Its times are those of the Linux kernel. This package does not know
// how late the timers of other systems are.
//
// The package computes from data: it makes no system call and starts no goroutine.
// Everything may be used concurrently, except [Catalog.Add].
package align
