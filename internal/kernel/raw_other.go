//go:build !unix && !windows

package kernel

import "errors"

func (system) Get(uintptr, int, int) (int, error)        { return 0, errors.ErrUnsupported }
func (system) Set(uintptr, int, int, int) error          { return errors.ErrUnsupported }
func (system) SetKeepAliveVals(uintptr, [3]uint32) error { return errors.ErrUnsupported }
func noSuchOption(err error) bool                        { return errors.Is(err, errors.ErrUnsupported) }
