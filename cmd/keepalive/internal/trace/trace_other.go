//go:build !linux

package trace

import (
	"errors"
	"fmt"
	"io"
)

func (o *options) run(io.Writer, io.Writer) error {
	return fmt.Errorf("trace looks at packets through AF_PACKET, which takes Linux: %w", errors.ErrUnsupported)
}
