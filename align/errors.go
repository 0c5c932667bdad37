package align

import (
	"fmt"
	"time"

	"github.com/tcpkeepalive/keepalive/platform"
)

// A ValueError is a value that makes no sense.
type ValueError struct {
	Field string // "detect", "timeout of aws-nlb-tcp"
	Value string
	Limit string // what it may be
}

// Error returns "field=value: limit".
func (e *ValueError) Error() string {
	return fmt.Sprintf("%s=%s: %s", e.Field, e.Value, e.Limit)
}

// An ImpossibleError is a request that the kernel's whole seconds cannot meet.
type ImpossibleError struct {
	Field string // what is too tight: "detect", "timeout of aws-nlb-tcp"
	Value string
	Limit string // what would be possible
	// Nearest is the request closest to this one that can be met, nil if there is
	// none.
	Nearest *Request
}

// Error returns "field=value is impossible: limit".
func (e *ImpossibleError) Error() string {
	return fmt.Sprintf("%s=%s is impossible: %s", e.Field, e.Value, e.Limit)
}

// text writes a duration as the text form of a Config does: "350s".
func text(d time.Duration) string { return platform.Idle.Format(int64(d)) }

// roundUp makes a bound short to read and keeps it one.
func roundUp(d time.Duration) time.Duration {
	const step = 100 * time.Millisecond
	return (d + step - 1).Truncate(step)
}
