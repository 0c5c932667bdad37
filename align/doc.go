// Package align finds keepalive settings that survive the path of a connection,
// and says when none can.
//
// Load balancers, NATs and firewalls forget a connection that was silent for too
// long: AWS' Network Load Balancer after 350 s. A keepalive probe resets that
// clock, if it comes in time, if it is not lost, and if the middlebox counts it at
// all.
//
//	path, err := align.Path("aws-nlb-tcp", "aws-nat-gateway")
//	plan, err := align.Request{Path: path}.Plan()
//	if plan.Verdict == align.Survives {
//		d, err := dialer.New(plan.Config)
//	}
//
// # What a plan accounts for
//
//   - Probes may be lost: with the default of two, the third one still comes in
//     time.
//   - Kernel timers are late, never early. Linux keeps them in slots, which for
//     350 s are 16 s wide (CONFIG_HZ=250) or 33 s (HZ=1000): an idle time of 340 s
//     is not safe there. A plan holds for the worst common HZ unless told which.
//   - The interval counts too: after a probe the next one is at least one
//     interval away.
//   - The user timeout: it replaces the count on Linux, and is long enough to let
//     every probe out.
//
// # What probes cannot do
//
// Proxies (ALB, Classic ELB, Global Accelerator, Envoy, HAProxy) end the TCP
// connection and look at data only. A plan for such a path has the verdict
// [NeedsHeartbeat] and a [Heartbeat]: what the application has to send and how
// often, and when a pool has to drop a connection.
//
// # What it rests on
//
// Profiles carry the source of each figure, and how sure it is: see [Evidence].
// A [Plan] lists what it assumes. Timing is that of the Linux kernel; how late the
// timers of other systems are is not known to this package.
//
// The package is arithmetic and data: it makes no system call and starts no
// goroutine. All of it may be used from several goroutines, but for [Catalog.Add].
package align
