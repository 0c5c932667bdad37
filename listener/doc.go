// Package listener accepts TCP connections whose keepalive is exactly what was
// asked for.
//
//	lc := listener.ListenConfig{Config: sockopt.Recommended()}
//	l, err := lc.Listen(ctx, "tcp", ":8080")
//	if err != nil {
//		log.Fatal(err) // this operating system cannot do it, or the address is taken
//	}
//	http.Serve(l, handler)
//
// # How it works
//
// The options are set on the listening socket. On Linux accepted connections
// inherit all of them, their timers run even before Accept is called, and Accept
// makes no keepalive system call at all (package net makes four per
// connection). What a system does not let them inherit is set again after
// accept: the idle time on macOS, all timing on NetBSD, everything where nobody
// knows (see [platform.Spec]).
//
// # Errors
//
// What cannot work is an error of Listen. Accept never fails because of an
// option, as that would stop the server: it hands out the connection and tells
// ListenConfig.OnError.
//
// # Listeners made elsewhere
//
// Go overwrites what a listener from [net.Listen], [net.FileListener] or systemd
// had with 15 s, 15 s, 9 on every connection. [Wrap] sets the options again
// after accept, [Restore] puts back what the listening socket itself has.
// [Configure] sets up a net.ListenConfig that belongs to somebody else.
package listener
