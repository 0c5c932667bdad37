// Package discover measures after what silence a path forgets a connection.
//
//	r, err := discover.Run(ctx, discover.Options{Address: "db.example.com:5432"})
//	fmt.Println(r) // between 348s and 352s: forgotten: silent drop
//
// It makes connections, leaves each idle for another time, and looks whether it
// still works; the shortest time at which one does not, and the longest at which one
// does, are the bounds. Two rounds of up to 64 connections find 350 s in about 13
// minutes, a guess takes half of that.
//
// A connection may die of something else, or its answer be late: what another survived
// for longer is no timeout, and it takes two that agree, or a second round, until one is
// believed. Where several died and several lived for longer there is more than one
// timeout behind the address, as of several servers: then none is stated, and
// [Result.Err] says so.
//
// # What may be in the way
//
// A peer that sends keepalive probes of its own (a Go server does every 15 s) keeps
// the path alive: what is longer than its period cannot be seen, and the Result says
// so. Each connection counts the segments that came while it was idle, so a test is
// never taken for more than it is. What comes once, as a late greeting does, only begins
// the silence anew.
//
// A close or reset that arrives by itself is the timeout of whoever sent it: a
// server, or a proxy on the way. What it says up to 2 s before, as 408 of HTTP or
// close_notify of TLS, is a part of the close.
//
// Counting segments, and [Probe], take Linux. Elsewhere a Result cannot tell whether
// the peer kept the path alive, and says that it is not known.
package discover
