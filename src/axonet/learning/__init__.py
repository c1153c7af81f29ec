"""How the networks learn: data loading, Lightning modules, schedules, callbacks and the fit."""
