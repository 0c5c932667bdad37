package keepalive_test

import (
	"context"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/discover"
	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/listener"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
	"github.com/tcpkeepalive/keepalive/transport"
)

// The public packages whose functions return errors.
var packages = regexp.MustCompile(`\b(align|dialer|discover|inspect|listener|sockopt|transport): `)

// An error begins with the name of the package that returns it, or, as in package net, with
// the operation that failed. No package is named twice. The rows are paths to an error of
// every public function that returns one; all exist on every system.
func TestErrorsBeginWithTheirPackage(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	var (
		negative = sockopt.Config{Idle: -time.Second}
		noPath   = align.Request{}
		noProbes = sockopt.Config{Disabled: true}
		tooLong  = align.Profile{ID: "box", Timeout: -1}
		invalid  = align.Request{LostProbes: 1000}
		pinned   = pinnedConn(t)
		listened = listener.ListenConfig{Config: negative}
		dialing  = dialer.Dialer{Config: negative}
	)
	for begin, calls := range map[string]map[string]func() error{
		"sockopt: ": {
			"Parse":              func() error { return second(sockopt.Parse("idle=x")) },
			"UnmarshalText":      func() error { return new(sockopt.Config).UnmarshalText(nil) },
			"MarshalText":        func() error { return second(negative.MarshalText()) },
			"Validate":           negative.Validate,
			"ValidateFor":        func() error { return negative.ValidateFor(linux(t)) },
			"ValidateFor nil":    func() error { return negative.ValidateFor(nil) },
			"NearestFor":         func() error { return third(negative.NearestFor(&platform.Table{Title: "Toaster"})) },
			"NearestFor nil":     func() error { return third(negative.NearestFor(nil)) },
			"RecommendedFor":     func() error { return third(sockopt.RecommendedFor(nil)) },
			"DetectionTime":      func() error { return second(negative.DetectionTime()) },
			"DetectionTime, off": func() error { return second(noProbes.DetectionTime()) },
			"MatchUserTimeout":   func() error { return second(negative.MatchUserTimeout()) },
			"ToNet":              func() error { return second(sockopt.Config{Disabled: true, UserTimeout: 1, Idle: -1}.ToNet()) },
			"Set invalid":        func() error { return sockopt.Set(nil, negative) },
			"Set":                func() error { return sockopt.Set(nil, sockopt.Config{}) },
			"Verify":             func() error { return sockopt.Verify(&net.UDPConn{}, sockopt.Config{}) },
			"Verify invalid":     func() error { return sockopt.Verify(nil, negative) },
			"Get":                func() error { return second(sockopt.Get(7)) },
			"SetKeepAlive":       func() error { return pinned.SetKeepAlive(true) },
			"SetKeepAlivePeriod": func() error { return pinned.SetKeepAlivePeriod(1) },
			"SetKeepAliveConfig": func() error { return pinned.SetKeepAliveConfig(net.KeepAliveConfig{}) },
		},
		"dialer: ": {
			"New":           func() error { return second(dialer.New(negative)) },
			"Check":         dialing.Check,
			"Configure":     func() error { return dialer.Configure(new(net.Dialer), negative) },
			"Configure nil": func() error { return dialer.Configure(nil, sockopt.Config{}) },
		},
		"dial tcp: ": {
			"Dial":     func() error { return second(dialing.Dial("tcp", "127.0.0.1:1")) },
			"DialAddr": func() error { return second(dialing.DialAddr("tcp")(ctx, "127.0.0.1:1")) },
			"DialGRPC": func() error { return second(dialing.DialGRPC(ctx, "127.0.0.1:1")) },
		},
		"listener: ": {
			"New":           func() error { return second(listener.New(negative)) },
			"Configure":     func() error { return listener.Configure(new(net.ListenConfig), negative) },
			"Configure nil": func() error { return listener.Configure(nil, sockopt.Config{}) },
			"Wrap invalid":  func() error { return second(listener.Wrap(noSocket{}, negative)) },
			"Wrap":          func() error { return second(listener.Wrap(noSocket{}, sockopt.Config{})) },
			"Wrap nil":      func() error { return second(listener.Wrap(nil, sockopt.Config{})) },
			"Restore":       func() error { return second(listener.Restore(noSocket{})) },
		},
		"listen tcp: ": {
			"Listen": func() error { return second(listened.Listen(ctx, "tcp", "127.0.0.1:0")) },
		},
		"inspect: ": {
			"Of":              func() error { return second(inspect.Of(nil)) },
			"NewHandle":       func() error { return second(inspect.NewHandle(&net.UDPConn{})) },
			"Handle.Report":   func() error { return second(new(inspect.Handle).Report()) },
			"Handle.Alive":    new(inspect.Handle).Alive,
			"Alive":           func() error { return inspect.Alive(7) },
			"NextProbe":       func() error { return second(inspect.Report{}.NextProbe()) },
			"NextProbe, none": func() error { return second(inspect.Report{State: inspect.Listen}.NextProbe()) },
			"DetectionTime":   func() error { return second(inspect.Report{}.DetectionTime()) },
			"FindOwners":      func() error { return second(inspect.FindOwners(1 << 30)) },
			"List, network":   func() error { return listed(inspect.Filter{Network: "udp"}) },
			"List, state":     func() error { return listed(inspect.Filter{States: []inspect.State{99}}) },
			"List, address":   func() error { return listed(inspect.Filter{Local: []string{"x"}}) },
			"List, settings":  func() error { return listed(inspect.Filter{Settings: true}) },
		},
		"align: ": {
			"Path":             func() error { return second(align.Path("nothing-like-it")) },
			"Path, time":       func() error { return second(align.Path("aws-nlb-tcp=x")) },
			"Path, limit":      func() error { return second(align.Path("aws-nlb-tcp=1s")) },
			"Path, own":        func() error { return second(align.Path("box:x")) },
			"Lookup":           func() error { return second(new(align.Catalog).Lookup("aws-nlb")) },
			"Add":              func() error { return new(align.Catalog).Add(align.Profile{}) },
			"Add, invalid":     func() error { return new(align.Catalog).Add(align.Profile{ID: "zzzzzz", Timeout: -1}) },
			"WithTimeout":      func() error { return second(tooLong.WithTimeout(-1)) },
			"Profile.Validate": tooLong.Validate,
			"Request.Validate": invalid.Validate,
			"Plan":             func() error { return second(noPath.Plan()) },
			"Plan, invalid":    func() error { return second(invalid.Plan()) },
			"Plan, impossible": func() error { return second(align.Request{Detect: time.Millisecond}.Plan()) },
			"Assess":           func() error { return second(noPath.Assess(platform.Settings{})) },
			"AssessConfig":     func() error { return second(noPath.AssessConfig(negative, platform.Settings{})) },
			"GRPC":             func() error { return third(new(align.Heartbeat).GRPC()) },
			"GRPC, too often":  func() error { return third((&align.Heartbeat{Every: 1}).GRPC()) },
		},
		"discover: ": {
			"Run":           func() error { return second(discover.Run(ctx, discover.Options{})) },
			"Run, limits":   func() error { return second(discover.Run(ctx, discover.Options{Address: "x", Connections: 1})) },
			"Result.Err":    (&discover.Result{Dead: 1}).Err,
			"Profile":       func() error { return second((&discover.Result{}).Profile("x")) },
			"Profile, end":  func() error { return second((&discover.Result{Dead: 2, Alive: 1, End: "x"}).Profile("x")) },
			"Run, no reply": func() error { return second(discover.Run(ctx, unreachable)) },
		},
		"transport: ": {
			"New":            func() error { return second(transport.New(transport.Options{Margin: -1})) },
			"New, Dialer":    func() error { return second(transport.New(transport.Options{Dialer: &dialing})) },
			"Announce nil":   func() error { return transport.Announce(nil, time.Minute) },
			"Announce":       func() error { return transport.Announce(new(http.Server), 1) },
			"zero Transport": func() error { return second(new(transport.Transport).RoundTrip(new(http.Request))) },
		},
	} {
		for name, call := range calls {
			t.Run(begin+name, func(t *testing.T) {
				t.Parallel()
				err := call()
				require.Error(t, err)
				assert.True(t, strings.HasPrefix(err.Error(), begin), "%q does not begin with %q", err, begin)
				named := map[string]int{}
				for _, name := range packages.FindAllString(err.Error(), -1) {
					named[name]++
					assert.Equal(t, 1, named[name], "%q names %q again", err, name)
				}
			})
		}
	}
}

// unreachable are Options whose connections cannot be made.
var unreachable = discover.Options{Check: discover.Echo, Connections: 4,
	Dial: func(context.Context) (net.Conn, error) { return nil, nil }}

// A noSocket is a listener without a socket.
type noSocket struct{ net.Listener }

type keepAliveSetter interface {
	SetKeepAlive(bool) error
	SetKeepAlivePeriod(time.Duration) error
	SetKeepAliveConfig(net.KeepAliveConfig) error
}

func pinnedConn(t *testing.T) keepAliveSetter {
	t.Helper()
	return sockopt.Pin(new(net.TCPConn)).(keepAliveSetter)
}

func linux(t *testing.T) *platform.Table {
	t.Helper()
	table, ok := platform.Lookup("linux")
	require.True(t, ok)
	return table
}

// listed returns the error of a list.
func listed(f inspect.Filter) error {
	for _, err := range inspect.List(f) {
		if err != nil {
			return err
		}
	}
	return nil
}

func second[T any](_ T, err error) error { return err }

func third[T, U any](_ T, _ U, err error) error { return err }
