// Package listener accepts TCP connections with exactly the keepalive settings
// that were asked for.
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
// inherit all options, their timers run even before Accept is called, and Accept
// makes no keepalive system call (package net makes four per connection).
//
// On macOS (13 and before) and on NetBSD, the same options start a timer on the
// listening socket that ends the listener while Accept still waits. So on every
// system where the options are not known to be harmless
// ([platform.Table.ArmsListener]), everything is set after accept. On the other
// systems, options that connections do not inherit (see [platform.Spec]) are
// also set after accept.
//
// # gRPC servers
//
// grpc-go sets TCP_USER_TIMEOUT to 20 s on every *net.TCPConn that a server
// accepts, whatever the Config says, so that one lost probe may end the
// connection. ListenConfig.Pin prevents that; ListenConfig.VerifyAfter only
// reports it to OnError:
//
//	lc.Pin = true // before lc.Listen
//
// # Errors
//
// Listen returns an error if the Config is not possible on this system. If an
// option is set after accept and the kernel refuses it although the system's
// table allows it, that is known only then. Accept never fails because of an
// option, because that would stop the server: it returns the connection and
// reports the error to ListenConfig.OnError.
//
// # Existing listeners
//
// Go overwrites the options inherited from a listener of [net.Listen],
// [net.FileListener] or systemd with 15 s, 15 s, 9 on every connection. [Wrap]
// sets the options again after accept; [Restore] restores those of the listening
// socket. [Configure] sets up an existing net.ListenConfig.
package listener
