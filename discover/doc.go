// Package discover measures after what silence a path forgets a connection.
//
//	r, err := discover.Run(ctx, discover.Options{Address: "db.example.com:5432"})
//	fmt.Println(r) // between 348s and 352s: forgotten: silent drop
//
// It makes connections, leaves each one idle for a different time, and checks whether it
// still works. The longest silence that a connection survives and the shortest one that
// a connection does not survive are the bounds of the timeout. Two rounds of up to 64
// connections find a timeout of 350 s in about 13 minutes; with a correct guess one
// round is enough, which takes half of that.
//
// A connection may also die for another reason, and an answer may be late. Therefore one
// connection alone, or fewer than one in twenty of those that were silent for as long,
// proves nothing. If more died, and more survived a silence that is longer by 5 % and at
// least 0.2 s, there is more than one timeout behind the address, as of several servers. If
// more could not be tested, there may be. Then the result states none, and [Result.Err]
// says so. Timeouts that are closer together are not distinguished: the shortest is found.
//
// # What can hide the timeout
//
// A peer that sends keepalive probes of its own keeps the path alive: a Go server sends
// them every 15 s. A timeout that is longer than this period cannot be seen, and the
// Result says so. For this, each connection counts the segments that arrive while it is
// idle. Something that arrives only once, such as a late greeting, starts the silence
// again.
//
// A close or a reset that arrives by itself is the timeout of its sender: a server, or a
// proxy on the path. What the sender says up to 2 s before that, such as 408 of HTTP or
// close_notify of TLS, counts as a part of it.
//
// [Probe] and the count of segments need Linux. Elsewhere a Result cannot tell whether
// the peer kept the path alive, and says that this is not known.
package discover
