// Package sockopt asks for TCP keepalive on a socket, makes sure that the
// kernel took it, and reads back what it holds.
//
//	cfg := sockopt.Config{Idle: time.Minute, Interval: 10 * time.Second, Count: 3}
//	if err := sockopt.Set(conn, cfg); err != nil {
//		log.Print(err) // names each option that did not take
//	}
//	got, err := sockopt.Get(conn) // on idle=60s interval=10s count=3 user-timeout=off
//
// For connections that are still to be made, packages dialer and listener are
// shorter: they also keep Go's own 15 s, 15 s, 9 away.
//
// # Config
//
// A [Config] is a plain, comparable value. A zero field is unset: [Set] leaves
// it as it is. Every value is checked, all fields at once, before the first
// system call; [Config.ValidateFor] checks for another operating system.
//
// # What can be set where
//
// Linux, macOS, FreeBSD, Windows 10 (version 1709), illumos and Solaris have all
// four options, under various names; NetBSD, DragonFly BSD and AIX lack the user
// timeout, Windows before 1709 the count; OpenBSD can only switch keepalive on
// and off. Names, limits, units and traps are the data of package platform.
//
// # Concurrency
//
// All functions and methods may be called at the same time, also beside a
// blocked Read or Write on the same connection; none of them duplicates the
// file descriptor or changes its blocking mode.
package sockopt
