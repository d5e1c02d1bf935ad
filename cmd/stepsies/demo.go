package main

type demoCmd struct{}

func (cmd *demoCmd) Run() error { return nil }
