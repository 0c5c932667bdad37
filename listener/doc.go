// Package listener accepts TCP connections whose keepalive is exactly what was
// asked for.
//
//	lc, err := listener.New(sockopt.Recommended())
//	if err != nil {
//		log.Fatal(err) // this operating system cannot do it; the text says what it can
//	}
//	l, err := lc.Listen(ctx, "tcp", ":8080")
//	http.Serve(l, handler)
//
// # How it works
//
// On Linux the options are set on the listening socket. Accepted connections
// inherit all of them, their timers run even before Accept is called, and Accept
// makes no keepalive system call at all (package net makes four per
// connection).
//
// A listening socket is not a connection: on macOS 13 and before, and on NetBSD,
// the same options start a timer there that ends the listener, while Accept still
// waits. So on every system where they are not known to be harmless
// ([platform.Table.ArmsListener]) nothing is set before accept, and everything
// after it; what a harmless system does not let connections inherit (see
// [platform.Spec]) is set after accept, too.
//
// # gRPC servers
//
// grpc-go sets TCP_USER_TIMEOUT to 20 s on every *net.TCPConn that a server
// accepts, whatever the Config says, so that one lost probe may end the
// connection. With ListenConfig.Pin it cannot; without, ListenConfig.VerifyAfter
// tells OnError that it did:
//
//	lc.Pin = true // before lc.Listen
//
// # Errors
//
// What cannot work is an error of Listen; only what the kernel refuses although
// the system's table allows it is heard of at accept where nothing is set before.
// Accept never fails because of an option, as that would stop the server: it hands
// out the connection and tells ListenConfig.OnError.
//
// # Listeners made elsewhere
//
// Go overwrites what a listener from [net.Listen], [net.FileListener] or systemd
// had with 15 s, 15 s, 9 on every connection. [Wrap] sets the options again
// after accept, [Restore] puts back what the listening socket itself has.
// [Configure] sets up a net.ListenConfig that belongs to somebody else.
package listener
