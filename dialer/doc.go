// Package dialer makes outgoing TCP connections with exactly the keepalive
// settings that were asked for.
//
//	d, err := dialer.New(sockopt.Recommended())
//	if err != nil {
//		log.Fatal(err) // this operating system cannot do it; the text says what it can
//	}
//	conn, err := d.Dial("tcp", "db.example.com:5432")
//
// Go's own 15 s, 15 s, 9 never reach the socket, whatever the fields of the
// underlying net.Dialer are, and every option is read back from the connected
// socket before Dial returns.
//
// # Use with other packages
//
//	net/http         transport.Standard(d), or Transport.DialContext = d.DialContext
//	grpc-go          grpc.WithContextDialer(d.DialGRPC); see there about proxies
//	pgx              Config.DialFunc = d.DialContext
//	go-sql-driver    mysql.RegisterDialContext("tcp", d.DialAddr("tcp"))
//	go-redis         Options.Dialer = d.DialContext (it then ignores TLSConfig)
//	crypto/tls       tls.Client(conn, cfg) on a dialed connection
//
// [Configure] sets up an existing net.Dialer in place.
package dialer
