// Package sockopt sets the TCP keepalive options of a socket, verifies that the
// kernel accepted them, and reads them back.
//
//	cfg := sockopt.Config{Idle: time.Minute, Interval: 10 * time.Second, Count: 3}
//	if err := sockopt.Set(conn, cfg); err != nil {
//		log.Print(err) // names each option that was not set
//	}
//	got, err := sockopt.Get(conn) // on idle=60s interval=10s count=3 user-timeout=off
//
// For new connections, use packages dialer and listener: they also prevent Go
// from setting its own 15 s, 15 s, 9.
//
// # Config
//
// A [Config] is a plain, comparable value. A zero field is unset: [Set] leaves
// that option unchanged. All fields are checked before the first system call;
// [Config.ValidateFor] checks them for another operating system.
//
// # What can be set where
//
// Linux, macOS, FreeBSD, Windows 10 (version 1709), illumos and Solaris have all
// four options, under various names; NetBSD, DragonFly BSD and AIX lack the user
// timeout, Windows before 1709 the count; OpenBSD can only switch keepalive on
// and off. Package platform has the names, limits, units and pitfalls as data.
//
// # Concurrency
//
// All functions and methods are safe for concurrent use, even while a Read or
// Write is blocked on the same connection. None of them duplicates the file
// descriptor or changes its blocking mode.
package sockopt
