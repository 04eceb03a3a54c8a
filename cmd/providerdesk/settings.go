package main

import (
	"errors"
	"io/fs"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/site"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/fault"
)

func (in installation) folder() site.Folder { return site.Folder(in.data) }

// load reads the configuration of an installation.
func (p program) load(in installation) (*config.Config, error) {
	path := site.Find(in.config, in.folder(), p.env)
	c, err := site.Load(path, p.env)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, usage{fault.New(fault.Missing, `there is no configuration %s: name one with --config, or let "providerdesk up" write one`, path)}
	}
	return c, err
}

// located is load with the simulators where the installation serves them now.
func (p program) located(in installation) (*config.Config, error) {
	c, err := p.load(in)
	if err != nil || !site.UsesSimulators(c) || !in.folder().Exists() {
		return c, err
	}
	base, err := in.folder().Running()
	switch {
	case err != nil:
		return nil, err
	case base != "":
		site.Redirect(c, base)
	case site.SimulatesDesk(c):
		return nil, fault.New(fault.Transient, `the cases of %s are in its simulator, which is not running: start "providerdesk up --data %s"`, in.data, in.data)
	}
	return c, nil
}

// desks makes the clients of the desks of an installation, or of one of them, and hands them to use.
func (p program) desks(in installation, only string, use func(map[string]desk.Desk) error) error {
	c, err := p.located(in)
	if err != nil {
		return err
	}
	all, letGo, err := site.Desks(c, only, p.now)
	if err != nil {
		return err
	}
	defer letGo()
	return use(all)
}

// server is the base URL of the "up" that a command talks to.
func (p program) server(named string, in installation) (string, error) {
	if named != "" {
		return named, nil
	}
	base, err := in.folder().Running()
	if err == nil && base == "" {
		err = fault.New(fault.Transient, `nothing runs on %s: start "providerdesk up", or name a server with --server`, in.data)
	}
	return base, err
}

// problemsOf are the problems of a configuration, if that is what err is about.
func problemsOf(err error) (found config.Problems, ok bool) { return found, errors.As(err, &found) }
