package align

import (
	"fmt"

	"github.com/tcpkeepalive/keepalive/internal/errname"
)

// A ValueError says that a field has an impossible value.
type ValueError struct {
	Field string // "detect", "timeout of aws-nlb-tcp"
	Value string
	Limit string // what the field may have
}

// Error returns "field=value: limit".
func (e *ValueError) Error() string {
	return fmt.Sprintf("%s=%s: %s", e.Field, e.Value, e.Limit)
}

// An ImpossibleError says that no Config meets a request, as the kernel counts idle
// time and interval in whole seconds.
type ImpossibleError struct {
	Field string // what is too tight: "detect", "timeout of aws-nlb-tcp"
	Value string
	Limit string // what would be possible
	// Nearest is the most similar request that a Config meets, nil if there is none.
	Nearest *Request
}

// Error returns "field=value is impossible: limit".
func (e *ImpossibleError) Error() string {
	return fmt.Sprintf("%s=%s is impossible: %s", e.Field, e.Value, e.Limit)
}

// named begins an error with the name of the package, where it leaves the package.
func named(err error) error { return errname.With("align", err) }
