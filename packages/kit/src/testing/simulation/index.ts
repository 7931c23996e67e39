export { exploreSchedules, type Explored, type ExploreOptions } from './explore-schedules.ts';
export { createSimulation, type SimulatedFaults, type SimulatedProcess, type Simulation, type SimulationOptions } from './simulation.ts';
