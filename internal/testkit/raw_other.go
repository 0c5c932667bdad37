//go:build !unix && !windows

package testkit

import "errors"

var headers [options]Header // these systems have no options

func withSocket(f func(fd uintptr) error) error { return f(0) }

func getOption(uintptr, int, int) (int, error) { return 0, errors.ErrUnsupported }
func setOption(uintptr, int, int, int) error   { return errors.ErrUnsupported }
func missing(err error) bool                   { return errors.Is(err, errors.ErrUnsupported) }
