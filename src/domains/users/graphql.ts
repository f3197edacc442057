import { answer, type Graph } from '../../plugins/graphql/graph.ts'
import { Me } from './schemas.ts'

export const userGraph: Graph = {
  types: { Me: { item: Me } },
  fields: { Query: { me: answer('getMe') } },
}
